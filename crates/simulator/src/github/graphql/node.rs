//! The types of the schema.

use serde::Serialize;

use super::page::{Connection, PageInfo};
use crate::moment::Moment;
use crate::world::git::*;

/// A step on the way to a part of the answer.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// Into a field.
    Field(String),
    /// To an element.
    Index(usize),
}

/// Something that has fields.
#[derive(Clone)]
pub enum Node<'w> {
    Root,
    Viewer,
    Organization,
    Owner,
    Repository(&'w Repository),
    Ref(&'w Repository),
    Commit(&'w Repository, usize),
    GitActor(&'w Commit, Moment),
    Pull(&'w Repository, &'w Pull),
    PullCommit(&'w Repository, usize),
    Actor(Actor),
    Review(&'w Repository, &'w Pull, usize),
    Remark(&'w Repository, &'w Pull, usize),
    Thread(&'w Repository, &'w Pull, usize),
    Comment(&'w Comment),
    Happening(&'w Repository, &'w Happening),
    Label(&'static str),
    Deployment(&'w Repository, &'w Deployment),
    DeploymentStatus(&'w DeploymentStatus),
    Release(&'w Repository, &'w Release),
    Connection(Box<Connection<'w>>),
    PageInfo(PageInfo),
}

/// What a field holds.
pub enum Reached<'w> {
    Value(serde_json::Value),
    Nothing,
    Node(Node<'w>),
    Nodes(Vec<Result<Node<'w>, (&'static str, String)>>),
    Gap(&'static str, String),
}

impl Node<'_> {
    /// The name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Root => "Query",
            Node::Viewer | Node::Actor(Actor::Person(_) | Actor::Ghost) => "User",
            Node::Actor(Actor::Bot(_)) => "Bot",
            Node::Organization | Node::Owner => "Organization",
            Node::Repository(_) => "Repository",
            Node::Ref(_) => "Ref",
            Node::Commit(..) => "Commit",
            Node::GitActor(..) => "GitActor",
            Node::Pull(..) => "PullRequest",
            Node::PullCommit(..) => "PullRequestCommit",
            Node::Review(..) => "PullRequestReview",
            Node::Remark(..) => "PullRequestReviewComment",
            Node::Thread(..) => "PullRequestReviewThread",
            Node::Comment(_) => "IssueComment",
            Node::Happening(_, happening) => match happening.what {
                What::Ready => "ReadyForReviewEvent",
                What::Draft => "ConvertToDraftEvent",
                What::ReviewRequested => "ReviewRequestedEvent",
                What::ForcePushed { .. } => "HeadRefForcePushedEvent",
                What::Closed => "ClosedEvent",
                What::Reopened => "ReopenedEvent",
            },
            Node::Label(_) => "Label",
            Node::Deployment(..) => "Deployment",
            Node::DeploymentStatus(_) => "DeploymentStatus",
            Node::Release(..) => "Release",
            Node::Connection(connection) => connection.kind,
            Node::PageInfo(_) => "PageInfo",
        }
    }

    /// Whether a fragment on this type or interface applies.
    pub fn is(&self, name: &str) -> bool {
        let own = self.kind();
        let interfaces: &[&str] = match own {
            "User" | "Bot" => &["Actor", "Node"],
            "Organization" => &["Actor", "RepositoryOwner", "Node"],
            "Commit" => &["GitObject", "Node"],
            "PageInfo" | "GitActor" | "Query" => &[],
            "PullRequest" => &["Node", "Comment", "Closable"],
            name if name.ends_with("Event") => &["Node", "PullRequestTimelineItems"],
            _ => &["Node"],
        };
        own == name || interfaces.contains(&name)
    }
}
