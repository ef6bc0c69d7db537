//! The listeners: HTTP/1.1 on loopback, connections that can be cut, and a stop that is bounded.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::trouble::Cut;
use crate::error::{Error, Result};

/// How long a stop waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(2);

/// Errors: others could reach that address, and the sandbox asks nobody who they are.
pub fn demand_loopback(address: SocketAddr) -> Result<SocketAddr> {
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(Error::usage(format!("the sandbox listens on loopback only, not on {}", address.ip()))
        .hint("use 127.0.0.1 or [::1]"))
}

/// Opens a listener.
pub async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    demand_loopback(address)?;
    let told = |source: std::io::Error| Error::failed(format!("cannot listen on {address}")).caused_by(source);
    let listener = TcpListener::bind(address).await.map_err(told)?;
    let bound = listener.local_addr().map_err(told)?;
    Ok((listener, bound))
}

/// Serves connections until told to stop; then ends those that are idle, and the rest after a grace period.
pub async fn serve(listener: TcpListener, routes: Router, mut stopping: watch::Receiver<bool>) {
    // Dropping the set, on whatever way out, aborts the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, routes.clone(), stopping.clone()));
                }
                // Out of descriptors, most likely: give them time to come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stopping) => break,
        }
    }
    drop(listener);
    // What is not done by then is cut off.
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    connections.shutdown().await;
}

async fn converse(stream: TcpStream, routes: Router, mut stopping: watch::Receiver<bool>) {
    // Without it, small answers wait for the other side's delayed acknowledgement. A refusal harms nothing.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(routes.clone(), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ended is the client's to notice.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Ends when the sandbox is told to stop, or is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The value is borrowed from a lock, which may not be held across a wait.
    let _ = stopping.wait_for(|stopping| *stopping).await.map(drop);
}

/// Routes a request; an error closes its connection without a byte.
async fn answer(routes: Router, request: hyper::Request<Incoming>) -> std::io::Result<Response> {
    let request: Request = request.map(axum::body::Body::new);
    let Ok(response) = TowerToHyperService::new(routes).call(request).await;
    if response.extensions().get::<Cut>().is_some() {
        return Err(std::io::ErrorKind::ConnectionAborted.into());
    }
    Ok(response)
}
