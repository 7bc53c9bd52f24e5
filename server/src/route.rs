//! Routes: a path, what it needs of who asks, and its handler, declared together.
//!
//! A [`Route`] can't be made without its [`Needs`], and nothing but [`table`] gets an answer out of it: there every request
//! passes the gate on its way to the handler.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream, TryStreamExt, future::BoxFuture};
use hyper::{Method, Request as HttpRequest};
use tokio::time::Instant;
use tracing::Span;
use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use crate::{
    auth::{Bearer, Refused},
    base_path::BasePath,
    budget::{Budget, Share},
    client_address::Address,
    error::ApiError,
    gate::{Gate, Head, Needs, allow_reading, is_preflight, preflight},
    limits::{
        BODY_TIMEOUT,
        limiter::{Caller, Limiter, TooManyConnections},
    },
};

/// A body as it comes in.
pub(crate) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// A request that was let in.
pub(crate) struct Request {
    pub(crate) head: Arc<Head>,
    pub(crate) body: Body,
    /// When its body has to be here, or is waited for no more.
    pub(crate) deadline: Instant,
    /// The memory for bodies, and this one's share of it.
    pub(crate) memory: Budget,
    pub(crate) share: Share,
    /// Who asks.
    pub(crate) bearer: Bearer,
    /// Why whoever asks is not let in, where a route says so in its own way.
    pub(crate) refused: Option<Refused>,
}

/// One path.
pub(crate) struct Route(BoxedFilter<(Matched,)>);

/// The name of the route that gave an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteName(pub(crate) &'static str);

/// A route that is the one.
struct Matched {
    name: &'static str,
    /// Its handler counts the requests for itself.
    counts_itself: bool,
    call: Box<dyn Call + Send>,
}

/// A route with what its path has said.
trait Call {
    fn needs(&self, method: &Method) -> Needs;
    fn handle(self: Box<Self>, request: Request) -> BoxFuture<'static, Result<Response, ApiError>>;
}

struct Handler<P, C, H> {
    needs: fn(&Method, &P) -> Needs,
    parameter: P,
    context: C,
    handler: H,
}

impl<P, C, H, F> Call for Handler<P, C, H>
where
    H: Fn(C, P, Request) -> F,
    F: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    fn needs(&self, method: &Method) -> Needs {
        (self.needs)(method, &self.parameter)
    }

    fn handle(self: Box<Self>, request: Request) -> BoxFuture<'static, Result<Response, ApiError>> {
        let Self { parameter, context, handler, .. } = *self;
        handler(context, parameter, request).boxed()
    }
}

/// A path without parameters.
pub(crate) fn fixed<F>(path: F) -> impl Filter<Extract = ((),), Error = F::Error> + Clone + Send + Sync + 'static
where
    F: Filter<Extract = ()> + Clone + Send + Sync + 'static,
{
    path.map(|| ())
}

impl Route {
    /// Requests for `path`, known as `name` in logs and counts, which name nobody, are handled with `context` and the path's parameter by `handler`, once the
    /// gate has let them in for what `needs` says.
    pub(crate) fn new<P, C, H, F>(
        name: &'static str,
        needs: fn(&Method, &P) -> Needs,
        path: impl Filter<Extract = (P,), Error: Into<Rejection>> + Clone + Send + Sync + 'static,
        context: &C,
        handler: H,
    ) -> Self
    where
        P: Send + 'static,
        C: Clone + Send + Sync + 'static,
        H: Fn(C, P, Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        let context = context.clone();
        let matched = path.map(move |parameter| {
            let (context, handler) = (context.clone(), handler.clone());
            Matched { name, counts_itself: false, call: Box::new(Handler { needs, parameter, context, handler }) }
        });
        Self(matched.boxed())
    }

    /// The same route, whose handler asks the limiter itself.
    pub(crate) fn that_counts_itself(self) -> Self {
        Self(self.0.map(|matched| Matched { counts_itself: true, ..matched }).boxed())
    }
}

/// Takes the head out of a request, to where the routes find it.
pub(crate) fn prepare<B>(request: HttpRequest<B>) -> HttpRequest<B> {
    let (mut parts, body) = request.into_parts();
    let head = Head {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: std::mem::take(&mut parts.headers),
        extensions: std::mem::take(&mut parts.extensions),
    };
    parts.extensions.insert(Arc::new(head));
    HttpRequest::from_parts(parts, body)
}

/// Everything that is answered: the routes in this order, behind the gate and the limits, at the root and below `base`.
pub(crate) fn table(gate: Gate, limiter: Arc<Limiter>, base: BasePath, routes: Vec<Route>) -> BoxedFilter<(Response,)> {
    let unknown = Route::new(
        "other",
        |_, ()| Needs::Public,
        fixed(warp::any()),
        &(),
        async |(), (), _| Err(ApiError::not_found("there is nothing at this path")),
    );
    let all = routes.into_iter().rev().fold(unknown.0, |later, route| route.0.or(later).unify().boxed());
    let all = if base.is_root() { all } else { base.below(all.clone()).or(all).unify().boxed() };
    let shared = Arc::new(Shared { gate, limiter, base, memory: Budget::new() });
    all.and(warp::ext::get::<Arc<Head>>())
        .and(warp::body::stream())
        .then(move |matched: Matched, head: Arc<Head>, body| pass(shared.clone(), matched, head, boxed(body)))
        .boxed()
}

/// What every request passes.
struct Shared {
    gate: Gate,
    limiter: Arc<Limiter>,
    base: BasePath,
    /// For bodies.
    memory: Budget,
}

impl Shared {
    /// Counts a request that was let in, unless it is a health check's or its handler does so itself.
    fn count(&self, matched: &Matched, needs: &Needs, head: &Head, bearer: &Bearer) -> Result<(), ApiError> {
        if matched.counts_itself || *needs == Needs::Nothing {
            return Ok(());
        }
        if let Some(too_many) = head.extensions.get::<TooManyConnections>() {
            return Err((*too_many).into());
        }
        let address = head.extensions.get().copied().unwrap_or(Address::Loopback);
        let sub = bearer.as_ref().and_then(|caller| caller.sub.as_deref());
        self.limiter.request(Caller { address, sub }, !head.method.is_safe())
    }
}

/// A handler's answer. A panic ends this request and nothing else.
async fn handled(matched: Matched, request: Request) -> Response {
    match AssertUnwindSafe(async { matched.call.handle(request).await }).catch_unwind().await {
        Ok(answer) => answer.unwrap_or_else(ApiError::response),
        Err(_) => ApiError::internal("a handler panicked; the message before this one says where").response(),
    }
}

/// Answers a request that the gate has let in by where it comes from: now it counts who asks.
///
/// # Errors
/// When there are too many requests, or the route is not for who asks.
async fn let_in(
    shared: &Shared,
    matched: Matched,
    needs: &Needs,
    head: Arc<Head>,
    body: Body,
) -> Result<Response, ApiError> {
    if is_preflight(&head) {
        return shared.count(&matched, needs, &head, &None).map(|()| preflight());
    }
    let (bearer, refused) = match shared.gate.bearer(&head, needs).await {
        Ok(bearer) => (bearer, None),
        Err(refused) => (None, Some(refused)),
    };
    if let Some(sub) = bearer.as_ref().and_then(|caller| caller.sub.as_deref()) {
        Span::current().record("user.id", sub);
    }
    shared.count(&matched, needs, &head, &bearer)?;
    if !matches!(needs, Needs::Room(_))
        && let Some(refused) = refused
    {
        return Err(refused.into());
    }
    let (deadline, memory, share) = (Instant::now() + BODY_TIMEOUT, shared.memory.clone(), Share::default());
    Ok(handled(matched, Request { head, body, deadline, memory, share, bearer, refused }).await)
}

async fn pass(shared: Arc<Shared>, matched: Matched, head: Arc<Head>, body: Body) -> Response {
    let Shared { gate, base, .. } = &*shared;
    let name = RouteName(matched.name);
    Span::current().record("http.route", name.0);
    let needs = matched.call.needs(&head.method);
    let mut response = match gate.check(&head, &needs) {
        // Who is refused again and again is told to go slower.
        Err(error) => shared.count(&matched, &needs, &head, &None).err().unwrap_or(error).response(),
        Ok(identity) => {
            let let_in = let_in(&shared, matched, &needs, head.clone(), body).await;
            let mut response = let_in.unwrap_or_else(ApiError::response);
            if let Some(origin) = identity.origin {
                allow_reading(origin, response.headers_mut());
            }
            base.locate(&head, response.headers_mut());
            response
        }
    };
    response.extensions_mut().insert(name);
    response
}

fn boxed(body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + Sync + 'static) -> Body {
    Box::pin(body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())))
}

#[cfg(test)]
mod tests {
    use hyper::{
        StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, HOST, ORIGIN},
    };
    use tokio_util::sync::CancellationToken;
    use tower_service::Service;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_that_the_page_of_another_origin_can_read() {
        let route = Route::new("/", |_, ()| Needs::Public, fixed(warp::any()), &(), async |(), (), _| panic!("now"));
        let origin = "http://page.test".parse().unwrap();
        let gate = Gate::new(vec![origin], true, CancellationToken::new());
        let mut service = warp::service(table(gate, Limiter::none(), BasePath::default(), vec![route]));
        let request = HttpRequest::get("/").header(HOST, "localhost").header(ORIGIN, "http://page.test");
        let Ok(response) = service.call(prepare(request.body(String::new()).unwrap())).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "http://page.test");
    }
}
