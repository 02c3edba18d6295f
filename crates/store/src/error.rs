//! What can go wrong with the store, by what a caller would do about it.

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no database that we know.
    #[error("{url:?} is no database address; use sqlite:PATH or postgres://USER@HOST/NAME")]
    Address {
        /// The address without its credentials.
        url: String,
    },
    /// The database cannot be reached, or lets nobody in.
    #[error("could not reach the database")]
    Unreachable(#[source] diesel::r2d2::PoolError),
    /// The tables could not be brought up to date.
    #[error("could not migrate the database: {reason}")]
    Migration {
        /// What the database said.
        reason: String,
    },
    /// The folder for the database file cannot be made or written.
    #[error(
        "could not write to {folder}; choose another folder in DATABASE_URL or change its permissions"
    )]
    Folder {
        /// The folder that the address names.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another worker holds the task now; what this one did was not kept.
    #[error("the lease of task {task} was lost")]
    LostLease {
        /// The task.
        task: domain::ids::TaskId,
    },
    /// Somebody else changed the row first.
    #[error("the {noun} was changed by somebody else")]
    Conflict {
        /// What was changed.
        noun: &'static str,
    },
    /// There is no such row for this client.
    #[error("there is no such {noun}")]
    Missing {
        /// What was looked for.
        noun: &'static str,
    },
    /// The row would exist twice.
    #[error("there is already a {noun} like that")]
    Duplicate {
        /// What exists already.
        noun: &'static str,
    },
    /// The address cannot change any more: what was read there would count as the new one's.
    #[error("something was read from the address already")]
    ReadAlready,
    /// The address cannot change now: a job reads from it.
    #[error("a job reads from the address now")]
    BeingRead,
    /// The table of transitions refuses.
    #[error(transparent)]
    Refused(#[from] domain::job::Refused),
    /// The workflows cannot be changed like that.
    #[error(transparent)]
    Workflow(#[from] domain::workflow::Refused),
    /// The rules cannot be kept like that.
    #[error(transparent)]
    Rules(#[from] domain::rules::Refused),
    /// The task cannot be done again.
    #[error("{why}")]
    NotReplayable {
        /// For people.
        why: &'static str,
    },
    /// The client has nothing that the job could read.
    #[error("there is no active {source_kind} integration")]
    Unconnected {
        /// What would have to be connected.
        source_kind: domain::work::SourceKind,
    },
    /// A row holds what we never write.
    #[error("could not read a stored {noun}: {reason}")]
    Corrupt {
        /// What was read.
        noun: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Query(#[source] diesel::result::Error),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Error {
        Error::Query(error)
    }
}

impl From<diesel::r2d2::PoolError> for Error {
    fn from(error: diesel::r2d2::PoolError) -> Error {
        Error::Unreachable(error)
    }
}

impl From<domain::text::UnknownWord> for Error {
    fn from(unknown: domain::text::UnknownWord) -> Error {
        Error::Corrupt { noun: unknown.noun, reason: unknown.to_string() }
    }
}

impl Error {
    /// Whether the same statement may succeed when it is tried again: another transaction was in
    /// the way, or the connection broke before anything was kept.
    pub fn is_passing(&self) -> bool {
        use diesel::result::{DatabaseErrorKind, Error as Diesel};
        match self {
            Error::Unreachable(_) => true,
            Error::Query(Diesel::DatabaseError(kind, info)) => match kind {
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ClosedConnection => {
                    true
                }
                _ => {
                    let message = info.message();
                    message.contains("deadlock detected") || message.contains("database is locked")
                }
            },
            Error::Query(Diesel::BrokenTransactionManager) => true,
            _ => false,
        }
    }
}
