-- The request that a row of a batch sends, with an id of its own each time.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local sent, run = 0, 0

function init()
  math.randomseed(os.time())
  run = math.random(1, 1000000000)
end

function request()
  sent = sent + 1
  return wrk.format(nil, "/admin/clients", nil, string.format(
    '{"client_id":"wrk-%d-%d","client_name":"service-%d","client_secret":"TOURwZbuud7NGHm-gcmBwiRh6u_R4Z4p",' ..
    '"redirect_uris":["https://s%d.example.org/cb"],"grant_types":["authorization_code"],"response_types":["code"],' ..
    '"scope":"read write","audience":[],"owner":"team-1@example.org","policy_uri":"","allowed_cors_origins":[],' ..
    '"tos_uri":"","client_uri":"","logo_uri":"","contacts":[],"subject_type":"public","jwks":{},' ..
    '"token_endpoint_auth_method":"client_secret_basic","metadata":{}}', run, sent, sent, sent))
end
