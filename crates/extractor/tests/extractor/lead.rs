//! An orchestrator that leases what the store has, says what a test wants, and notes what it hears.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{TimeDelta, Utc};
use domain::ids::TaskId;
use futures::{Stream, StreamExt};
use proto::convert::timestamp;
use proto::v1;
use proto::v1::directive::Kind;
use proto::v1::orchestrator_server::Orchestrator;
use proto::v1::release_request::Reason;
use store::Work;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status, Streaming};

/// How a worker says that a task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Finished { output: String },
    Released { reason: Reason, detail: String, not_before: Option<i64> },
}

/// See the module; clones are the same.
#[derive(Clone)]
pub struct Lead {
    work: Work,
    orders: watch::Sender<Kind>,
    heard: mpsc::UnboundedSender<Heard>,
    progress: watch::Sender<v1::Progress>,
    /// Ends that are not heard yet.
    deaf_for: Arc<AtomicU32>,
}

impl Lead {
    pub fn new(work: Work) -> (Lead, mpsc::UnboundedReceiver<Heard>) {
        let (heard, ends) = mpsc::unbounded_channel();
        let lead = Lead {
            work,
            orders: watch::Sender::new(Kind::Continue),
            heard,
            progress: watch::Sender::new(v1::Progress::default()),
            deaf_for: Arc::default(),
        };
        (lead, ends)
    }

    pub fn order(&self, kind: Kind) {
        self.orders.send_replace(kind);
    }

    pub fn be_deaf_for(&self, ends: u32) {
        self.deaf_for.store(ends, Ordering::SeqCst);
    }

    pub fn progress(&self) -> watch::Receiver<v1::Progress> {
        self.progress.subscribe()
    }

    fn hear(&self, heard: Heard) -> Result<Response<v1::Ack>, Status> {
        let deaf = self.deaf_for.load(Ordering::SeqCst);
        if deaf > 0 {
            self.deaf_for.store(deaf - 1, Ordering::SeqCst);
            return Err(Status::unavailable("restarting"));
        }
        self.heard.send(heard).unwrap();
        Ok(Response::new(v1::Ack {}))
    }
}

#[tonic::async_trait]
impl Orchestrator for Lead {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::Directive, Status>> + Send>>;

    async fn begin(
        &self,
        request: Request<v1::BeginRequest>,
    ) -> Result<Response<v1::BeginReply>, Status> {
        let request = request.into_inner();
        let task: TaskId = request.task_id.parse().unwrap();
        let now = Utc::now();
        let begun = self.work.begin(task, &request.worker, now + TimeDelta::hours(1), now).await;
        let lease = begun.unwrap().map(|lease| v1::Lease {
            task: Some(lease.task.into()),
            fence: lease.fence.number,
            until: Some(timestamp(lease.until)),
        });
        Ok(Response::new(v1::BeginReply { lease }))
    }

    async fn report(
        &self,
        request: Request<Streaming<v1::Progress>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let mut told = request.into_inner();
        let progress = self.progress.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = told.next().await {
                progress.send_replace(message);
            }
        });
        let orders = WatchStream::new(self.orders.subscribe());
        Ok(Response::new(Box::pin(orders.map(|kind| Ok(v1::Directive { kind: kind.into() })))))
    }

    async fn finish(
        &self,
        request: Request<v1::FinishRequest>,
    ) -> Result<Response<v1::Ack>, Status> {
        self.hear(Heard::Finished { output: request.into_inner().output })
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::Ack>, Status> {
        let request = request.into_inner();
        let not_before = request.not_before.map(|stamp| stamp.seconds);
        self.hear(Heard::Released { reason: request.reason(), detail: request.detail, not_before })
    }

    async fn replay(
        &self,
        _: Request<v1::ReplayRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        Err(Status::unimplemented("no worker asks this"))
    }

    async fn ensure_client(
        &self,
        _: Request<v1::EnsureClientRequest>,
    ) -> Result<Response<v1::Client>, Status> {
        Err(Status::unimplemented("no worker asks this"))
    }

    async fn command(
        &self,
        _: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        Err(Status::unimplemented("no worker asks this"))
    }

    async fn put_schedule(
        &self,
        _: Request<v1::PutScheduleRequest>,
    ) -> Result<Response<v1::Schedule>, Status> {
        Err(Status::unimplemented("no worker asks this"))
    }

    async fn probe(
        &self,
        _: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeReply>, Status> {
        Err(Status::unimplemented("no worker asks this"))
    }
}
