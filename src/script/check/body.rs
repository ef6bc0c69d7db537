//! The parts of a script in which a name means one thing: its own statements, and those of each function and closure.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position as At, Stmt};

use super::chain::{KEEPING, Member, chain, member, variable};
use super::known::{self, CLIENT, Known};
use crate::script::errors::CLOSURE;
use crate::script::standard;

/// The statements of a script, or of a function of it.
pub struct Body {
    name: String,
    parameters: Vec<String>,
    /// With nothing else in it.
    ast: AST,
    /// What is put into each variable.
    bound: HashMap<String, Vec<Put>>,
    /// The parameters that are clients.
    clients: HashSet<String>,
    /// Variables of which members are used or set: what is in them is not what was put there.
    touched: HashSet<String>,
    /// Those of which methods are called.
    called: HashSet<String>,
    /// Those in which something else may be than what was put there: of lists and maps it is not known any more what is in them.
    changed: HashSet<String>,
    /// Those that closures have as well.
    shared: HashSet<String>,
    /// The members that are set, by their variables.
    sets: Vec<(String, Member)>,
    /// The script's functions that give a client.
    giving: Rc<HashSet<String>>,
}

/// What is put into a variable.
enum Put {
    /// A value.
    Value(Expr),
    /// One after the other of what a value has in it.
    Each(Expr),
    /// It is not known.
    Unknown,
}

/// What puts into a list or a map what was not in it, of the methods of the language; others only look, or take away.
const PUTTING: [&str; 10] =
    ["append", "call", "fill_with", "for_each", "insert", "mixin", "pad", "push", "set", "splice"];

/// What acts elsewhere for a while.
const WITHIN: [&str; 2] = ["with_profile", "with_project"];

/// All of them: the script's own first.
pub fn all(ast: &AST) -> Vec<Body> {
    let given = given_clients(ast);
    let mut own = ast.clone();
    own.clear_functions();
    let own_names: HashSet<&str> = ast.iter_functions().map(|function| function.name).collect();
    let mut bodies = vec![Body::of(String::new(), own, &[], &[], &own_names)];
    for function in ast.iter_functions() {
        let parameters: Vec<String> = function.params.iter().map(ToString::to_string).collect();
        let (name, count) = (function.name, parameters.len());
        let mut alone = ast.clone();
        alone.clear_statements().retain_functions(|_, _, other, its| other == name && its == count);
        let given = given.get(name).map(Vec::as_slice).unwrap_or_default();
        bodies.push(Body::of(name.to_owned(), alone, &parameters, given, &own_names));
    }
    (0..MOST_CALLS).for_each(|_| share(&mut bodies));
    // The same of lists that are in variables.
    let mut given: Vec<(String, Vec<usize>)> = Vec::new();
    for body in &bodies {
        body.walk(&mut |node| {
            if let ASTNode::Expr(Expr::Dot(pair, ..)) = node
                && variable(&pair.lhs).is_some()
                && body.is_list(&pair.lhs)
            {
                given.extend(given_by(&pair.rhs));
            }
        });
    }
    for (closure, places) in given {
        for body in bodies.iter_mut().filter(|body| body.name == closure) {
            let count = body.parameters.len();
            places.iter().filter(|at| **at < count).for_each(|at| body.take_client(*at));
        }
    }
    // What gives what another one gives, or takes what another one takes, is known a round later.
    for _ in 0..MOST_CALLS {
        let named = bodies.iter().filter(|body| !body.name.is_empty());
        let wrong: HashSet<&str> = named.clone().filter(|body| !body.is_client_given()).map(Body::name).collect();
        let giving: Rc<HashSet<String>> =
            Rc::new(named.map(|body| body.name.clone()).filter(|name| !wrong.contains(name.as_str())).collect());
        for body in &mut bodies {
            body.giving = Rc::clone(&giving);
        }
        let taken = taken_clients(&bodies);
        for body in &mut bodies {
            let (name, count) = (body.name.clone(), body.parameters.len());
            for at in taken.get(&(name, count)).into_iter().flatten() {
                body.take_client(*at);
            }
        }
    }
    bodies
}

/// What a closure does with a variable that it has from around it is done to that: it is known by its name.
fn share(bodies: &mut [Body]) {
    let (mut changed, mut bound) = (HashSet::new(), HashSet::new());
    for closure in bodies.iter().filter(|body| body.name.starts_with(CLOSURE)) {
        for name in &closure.parameters {
            changed.extend(closure.changed.contains(name).then(|| name.clone()));
            let is_bound =
                closure.bound.get(name).is_some_and(|all| all.len() + usize::from(closure.clients.contains(name)) > 1);
            bound.extend(is_bound.then(|| name.clone()));
        }
    }
    for body in bodies {
        for name in body.shared.intersection(&changed) {
            body.changed.insert(name.clone());
        }
        for name in body.shared.intersection(&bound) {
            body.bound.entry(name.clone()).or_default().push(Put::Unknown);
        }
    }
}

/// The parameters of functions that are clients wherever those are called, by the functions' names and numbers of parameters.
fn taken_clients(bodies: &[Body]) -> HashMap<(String, usize), Vec<usize>> {
    let mut calls: HashMap<(String, usize), Vec<bool>> = HashMap::new();
    let mut by_name: HashSet<String> = HashSet::new();
    for body in bodies {
        body.walk(&mut |node| match node {
            ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => {
                if !call.namespace.is_empty() || call.op_token.is_some() {
                    return;
                }
                let key = (call.name.to_string(), call.args.len());
                let is_own = body.name == key.0 && body.parameters.len() == key.1;
                let is_client = call.args.iter().enumerate().map(|(at, value)| match variable(value) {
                    Some(name) if is_own && body.parameters[at] == name => true,
                    _ => body.is_client_value(value),
                });
                let is_client: Vec<bool> = is_client.collect();
                let so_far = calls.entry(key).or_insert_with(|| vec![true; is_client.len()]);
                so_far.iter_mut().zip(is_client).for_each(|(all, is)| *all &= is);
            }
            // It may be called by whoever has its name.
            ASTNode::Expr(Expr::StringConstant(text, _)) => {
                by_name.insert(text.to_string());
            }
            ASTNode::Expr(Expr::DynamicConstant(value, _)) => {
                by_name.extend(value.read_lock::<FnPtr>().map(|function| function.fn_name().to_owned()));
            }
            _ => {}
        });
    }
    let places = |is_client: Vec<bool>| (0..is_client.len()).filter(|at| is_client[*at]).collect();
    calls.into_iter().filter(|(of, _)| !by_name.contains(&of.0)).map(|(of, taken)| (of, places(taken))).collect()
}

/// Through so many functions a client is followed.
const MOST_CALLS: usize = 4;

impl Body {
    /// `given`: the places of parameters that are clients; `own`: the script's functions.
    fn of(name: String, ast: AST, parameters: &[String], given: &[usize], own: &HashSet<&str>) -> Self {
        let clients: HashSet<String> = given.iter().filter_map(|at| parameters.get(*at)).cloned().collect();
        let unknown = parameters.iter().filter(|name| !clients.contains(*name));
        let bound = unknown.map(|name| (name.clone(), vec![Put::Unknown])).collect();
        let mut body = Body {
            name,
            parameters: parameters.to_vec(),
            ast,
            bound,
            clients,
            touched: HashSet::new(),
            called: HashSet::new(),
            changed: HashSet::new(),
            shared: HashSet::new(),
            sets: Vec::new(),
            giving: Rc::default(),
        };
        let (mut found, mut sets) = (Vec::new(), Vec::new());
        let [mut touched, mut called, mut changed, mut shared, mut handed] = [const { Vec::new() }; 5];
        body.walk(&mut |node| match node {
            ASTNode::Stmt(Stmt::Var(var, ..)) => found.push((var.0.name.to_string(), Put::Value(var.1.clone()))),
            ASTNode::Stmt(Stmt::For(each, _)) => {
                found.extend(each.1.iter().map(|counter| (counter.name.to_string(), Put::Unknown)));
                found.push((each.0.name.to_string(), Put::Each(each.2.expr.clone())));
            }
            ASTNode::Stmt(Stmt::TryCatch(caught, _)) => {
                found.extend(variable(&caught.expr).map(|name| (name, Put::Unknown)));
            }
            ASTNode::Stmt(Stmt::Assignment(set)) => {
                let is_plain = set.0.get_op_assignment_info().is_none();
                let put = if is_plain { Put::Value(set.1.rhs.clone()) } else { Put::Unknown };
                found.extend(variable(&set.1.lhs).map(|name| (name, put)));
                sets.extend(member(&set.1.lhs));
                changed.extend(chain(&set.1.lhs).and_then(|(root, _)| variable(root)));
            }
            // What a closure captures it may change, and what a function is given.
            ASTNode::Stmt(Stmt::Share(captured)) => {
                let names: Vec<String> = captured.iter().map(|(name, ..)| name.name.to_string()).collect();
                called.extend(names.iter().cloned());
                touched.extend(names.iter().cloned());
                shared.extend(names);
            }
            ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))
                if call.namespace.is_empty() =>
            {
                let first = call.args.first().and_then(variable);
                found.extend(
                    first.clone().filter(|_| TELLING.contains(&call.name.as_str())).map(|name| (name, Put::Unknown)),
                );
                if call.op_token.is_some() {
                    return;
                }
                let given: Vec<String> = call.args.iter().filter_map(variable).collect();
                called.extend(given.iter().cloned());
                touched.extend(given.iter().cloned());
                // `push(list, …)` is `list.push(…)`; a function of the script gets a copy of what no closure has.
                if own.contains(call.name.as_str()) {
                    handed.extend(given);
                } else {
                    changed.extend(first.filter(|_| puts(call, own)));
                }
            }
            ASTNode::Expr(expression @ (Expr::Dot(pair, ..) | Expr::Index(pair, ..))) => {
                let Some(name) = variable(&pair.lhs) else { return };
                let is_push = matches!(&pair.rhs, Expr::MethodCall(call, _) if call.name == "push");
                touched.extend(Some(name.clone()).filter(|_| !is_push));
                called.extend(Some(name.clone()).filter(|_| !calls(&pair.rhs).is_empty()));
                let steps = chain(expression).map(|(_, steps)| steps).unwrap_or_default();
                let first_call = steps.iter().enumerate().find_map(|(at, step)| Some((at, step.call()?)));
                if let Some((at, call)) = first_call {
                    changed.extend(Some(name.clone()).filter(|_| puts(call, own)));
                    let asks = at == 0 && TELLING.contains(&call.name.as_str());
                    found.extend(asks.then_some((name, Put::Unknown)));
                }
            }
            _ => {}
        });
        body.touched.extend(touched);
        body.called.extend(called);
        body.changed.extend(changed);
        body.shared.extend(shared);
        body.changed.extend(handed.into_iter().filter(|name| body.shared.contains(name)));
        body.sets = sets;
        for (name, put) in found {
            body.bound.entry(name).or_default().push(put);
        }
        body
    }

    /// A parameter of it is a client, unless something else is put there as well.
    fn take_client(&mut self, at: usize) {
        let name = &self.parameters[at];
        if matches!(self.bound.get(name).map(Vec::as_slice), Some([Put::Unknown])) {
            self.bound.remove(name);
            self.clients.insert(name.clone());
        }
    }

    /// The function's name; empty: the script itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Each node of it.
    pub fn walk(&self, on: &mut impl FnMut(&ASTNode<'_>)) {
        self.ast.walk(&mut |path| {
            path.last().into_iter().for_each(&mut *on);
            true
        });
    }

    /// Whether it has a variable or a parameter of that name itself.
    pub fn binds(&self, name: &str) -> bool {
        self.bound.contains_key(name) || self.clients.contains(name)
    }

    /// What is in a variable, where only one thing is ever put into one of that name.
    pub fn put_into(&self, name: &str) -> Option<&Expr> {
        match self.bound.get(name)?.as_slice() {
            [Put::Value(value)] => Some(value),
            _ => None,
        }
    }

    /// The same, where nothing else is done with it.
    pub fn untouched(&self, name: &str) -> Option<&Expr> {
        self.put_into(name).filter(|_| !self.touched.contains(name))
    }

    /// The members that are set of a variable; `None`: they are not all known.
    pub fn sets(&self, name: &str) -> Option<Vec<&Member>> {
        let all = || self.sets.iter().filter(|(of, _)| of == name).map(|(_, member)| member);
        (!self.called.contains(name)).then(|| all().collect())
    }

    /// What a value is, where that is plain.
    pub fn known(&self, value: &Expr) -> Option<Known> {
        self.known_but(value, &mut HashSet::new())
    }

    /// The same, where these variables are looked at already.
    fn known_but(&self, value: &Expr, seen: &mut HashSet<String>) -> Option<Known> {
        match value {
            Expr::Variable(variable, ..) => self.known_variable(&variable.1, seen),
            Expr::FnCall(call, _) => self.known_call(call, seen),
            _ => {
                let (root, steps) = chain(value)?;
                let known = self.known_but(root, seen)?;
                steps.iter().try_fold(known, |known, step| step.from(known))
            }
        }
    }

    fn known_call(&self, call: &FnCallExpr, seen: &mut HashSet<String>) -> Option<Known> {
        let gives = |name: &str| self.giving.contains(name).then_some(CLIENT);
        match (super::root(call), &call.args[..]) {
            (Some("session"), [_, acting]) if WITHIN.contains(&call.name.as_str()) => gives(&closure(acting)?.0),
            (Some(module), _) => known::given_by(module, &call.name),
            (None, [a, b]) if call.op_token.is_some() => {
                known::worked_out(&call.name, self.known_but(a, seen)?, self.known_but(b, seen)?)
            }
            (None, _) => gives(&call.name),
        }
    }

    fn known_variable(&self, name: &str, seen: &mut HashSet<String>) -> Option<Known> {
        let Some(puts) = self.bound.get(name) else { return self.clients.contains(name).then_some(CLIENT) };
        if self.clients.contains(name) || !seen.insert(name.to_owned()) {
            return None;
        }
        let mut all = puts.iter().map(|put| match put {
            Put::Value(value) => self.known_but(value, seen),
            Put::Each(list) => self.known_but(list, seen)?.entry(),
            Put::Unknown => None,
        });
        let first = all.next()??;
        let is_known = all.all(|known| known == Some(first)) && (first == CLIENT || !self.changed.contains(name));
        is_known.then_some(first)
    }

    /// Whether a value is a client.
    pub fn is_client_value(&self, value: &Expr) -> bool {
        self.known(value) == Some(CLIENT)
    }

    /// Whether it gives a client, however it ends.
    fn is_client_given(&self) -> bool {
        let mut results: Vec<Option<Expr>> = vec![self.last()];
        self.walk(&mut |node| {
            if let ASTNode::Stmt(Stmt::Return(value, ..)) = node {
                results.push(value.as_deref().cloned());
            }
        });
        results.iter().all(|value| value.as_ref().is_some_and(|value| self.is_client_value(value)))
    }

    /// Whether a value is a list of clients.
    fn is_list(&self, value: &Expr) -> bool {
        self.known(value).and_then(Known::entry) == Some(CLIENT)
    }

    /// Where it ends by putting a value into a variable, if it does.
    pub fn puts_last(&self) -> Option<At> {
        let mut last = None;
        self.ast.walk(&mut |path| {
            if let [ASTNode::Stmt(statement)] = path {
                last = match statement {
                    Stmt::Assignment(set) => Some(set.0.position()),
                    _ => None,
                };
            }
            true
        });
        last
    }

    /// The last value of it, where it is written as such.
    pub fn last(&self) -> Option<Expr> {
        let mut last = None;
        self.ast.walk(&mut |path| {
            if let [ASTNode::Stmt(statement)] = path {
                last = match statement {
                    Stmt::Expr(value) => Some(value.as_ref().clone()),
                    Stmt::FnCall(call, at) => Some(Expr::FnCall(call.clone(), *at)),
                    Stmt::Return(value, ..) => value.as_deref().cloned(),
                    _ => None,
                };
            }
            true
        });
        last
    }
}

/// What asks of which kind a value is, or what is in it: in it may be another by then.
const TELLING: [&str; 2] = ["type_of", "contains"];

/// Whether a method may put into what it is called on what was not in it.
fn puts(call: &FnCallExpr, own: &HashSet<&str>) -> bool {
    let name = call.name.as_str();
    PUTTING.contains(&name) || own.contains(name) || standard::forms(name).is_empty()
}

/// The functions of lists that give their closure an entry first, and those that give it two.
const WITH_ONE: [&str; 9] = ["filter", "map", "some", "all", "find", "find_map", "for_each", "index_of", "retain"];
const WITH_TWO: [&str; 3] = ["sort", "sort_by", "dedup"];

/// The closures that are called with clients, and which of their parameters those are: `clients::list().filter(|c| …)`.
fn given_clients(ast: &AST) -> HashMap<String, Vec<usize>> {
    let mut found = HashMap::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Dot(pair, ..))) = path.last()
            && is_list_of_all(&pair.lhs)
        {
            found.extend(given_by(&pair.rhs));
        }
        true
    });
    found
}

/// The closures that a chain behind a list of clients calls with them, and which of their parameters those are.
fn given_by(chain: &Expr) -> Vec<(String, Vec<usize>)> {
    let mut found = Vec::new();
    for (name, closure) in calls(chain) {
        if let Some((closure, own)) = closure {
            if WITH_ONE.contains(&name.as_str()) {
                found.push((closure, vec![own]));
            } else if WITH_TWO.contains(&name.as_str()) {
                found.push((closure, vec![own, own + 1]));
            }
        }
        if !KEEPING.contains(&name.as_str()) {
            break;
        }
    }
    found
}

/// A closure: the name of its function, and how many parameters it has from around it, before its own.
pub type Closure = (String, usize);

/// The calls of a chain behind its first dot, each with the closure that it is given.
pub fn calls(chain: &Expr) -> Vec<(String, Option<Closure>)> {
    let (first, rest) = match chain {
        Expr::Dot(pair, ..) => (&pair.lhs, Some(&pair.rhs)),
        other => (other, None),
    };
    let Expr::MethodCall(call, _) = first else { return Vec::new() };
    let one = (call.name.to_string(), call.args.iter().find_map(closure));
    std::iter::once(one).chain(rest.into_iter().flat_map(calls)).collect()
}

fn closure(expression: &Expr) -> Option<Closure> {
    match expression {
        Expr::DynamicConstant(value, _) => value.read_lock::<FnPtr>().map(|closure| (closure.fn_name().to_owned(), 0)),
        // What is curried is what it takes from around it.
        Expr::FnCall(call, _) if call.name == "curry" => {
            call.args.first().and_then(closure).map(|(name, _)| (name, call.args.len() - 1))
        }
        Expr::Stmt(block) => match block.statements().last()? {
            Stmt::Expr(inner) => closure(inner),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression is a call of `clients::list`.
fn is_list_of_all(expression: &Expr) -> bool {
    matches!(expression, Expr::FnCall(call, _) if super::root(call) == Some("clients") && call.name == "list")
}
