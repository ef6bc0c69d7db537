//! Clients to begin with: documents, added where their ids are free, with the secrets they name.

use serde_json::Value;

use super::document::Document;
use super::shared::{now_in_micros, now_in_seconds};
use super::store::Store;
use super::{Seed, crypt, rules};
use crate::error::{Error, Result};

/// Adds the seed's clients. A document that the server would refuse, or that has no id, is an error.
pub fn plant(store: &Store, seed: Seed, hash_iterations: u32) -> Result<()> {
    let (documents, name) = match seed {
        Seed::Documents(documents) => (documents, "the seed".to_owned()),
        Seed::File(path) => {
            let name = path.display().to_string();
            let text = std::fs::read(&path)
                .map_err(|source| Error::usage(format!("cannot read the seed {name}")).caused_by(source))?;
            let documents: Vec<Value> = serde_json::from_slice(&text).map_err(|source| {
                Error::usage(format!("the seed {name} is not a JSON array of clients")).caused_by(source)
            })?;
            (documents, name)
        }
    };
    for (index, value) in documents.into_iter().enumerate() {
        let wrong = |reason: &str| Error::usage(format!("client {} of {name}: {reason}", index + 1));
        let mut document = Document::from_json(value).map_err(|reason| wrong(&reason))?;
        if document.text("client_id").is_empty() {
            return Err(wrong("it has no client_id"));
        }
        rules::check(&mut document).map_err(|fault| wrong(fault.description()))?;
        if store.get(document.text("client_id")).map_err(store_failed)?.is_some() {
            continue;
        }
        if document.text("client_secret").is_empty() {
            document.set("client_secret", crypt::generate_secret()?);
        }
        document.set("created_at", now_in_seconds());
        document.set("updated_at", now_in_micros());
        let hash = crypt::hash(document.text("client_secret"), hash_iterations)?;
        // Another process may have added it meanwhile; then it is there.
        store.insert(&document, &hash, None).map_err(store_failed)?;
    }
    Ok(())
}

fn store_failed(source: rusqlite::Error) -> Error {
    Error::failed("cannot write the seed to the sandbox's database").caused_by(source)
}
