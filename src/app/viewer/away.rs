//! What a viewer does beside watching: it writes into the log, and it lets go of the log and takes it up again.
//!
//! A viewer that has let go costs its connection and nothing else: it is no viewer of the log in the eyes of
//! [`Logs`](crate::app::logs::Logs), and the file is closed if it was the last.

use std::rc::Rc;

use super::Viewer;
use crate::app::Context;
use crate::app::hearing::Switch;
use crate::app::rooms::{self, Said};
use crate::app::wire::{Code, Dialect, FromServer, Refusal};
use crate::net::Bytes;
use crate::tail::Start;
use crate::tail::pattern::Filter;
use crate::ws::CloseCode;

/// Where a viewer was when it said that nothing was to be read for it.
#[derive(Debug)]
pub(super) struct Left {
    at: Start,
    cursor: String,
    filter: Option<Rc<Filter>>,
}

/// Why a request is not answered.
pub(super) fn stopped() -> Refusal {
    Refusal::new(Code::Stopped, "Nothing is read for you now; say start first.")
}

impl Viewer {
    /// Writes into the log what the viewer says.
    pub(super) fn say(&self, id: u32, said: &Said, answers: bool, context: &mut Context<'_>) {
        let answer = match rooms::say(said, &self.log, context) {
            Ok(written) => FromServer::Said { id, cursor: written.cursor.map(|cursor| cursor.to_string()) },
            Err(refused) => refused.why.answer(Some(id)),
        };
        if answers && self.conversation.may_send() {
            context.send(Bytes::Own(answer.to_frame()));
        }
    }

    /// Lets go of the log, or takes it up again, as the viewer has said last; once it is known where it stands.
    pub(super) fn obey_switch(&mut self, context: &mut Context<'_>) {
        if self.beginning.is_some() || !self.conversation.may_send() {
            return;
        }
        let answer = match (self.switch.take(), &self.left) {
            (None, _) => return,
            (Some(Switch::Off), Some(left)) => FromServer::Stopped { cursor: left.cursor.clone() },
            (Some(Switch::Off), None) => self.leave(context),
            (Some(Switch::On), _) => match self.come_back(context) {
                Some(cursor) => FromServer::Started { cursor },
                None => {
                    return self.close(
                        CloseCode::POLICY_VIOLATION,
                        "this log is not listed any more",
                        context,
                    );
                }
            },
        };
        if self.dialect == Dialect::V1 {
            context.send(Bytes::Own(answer.to_frame()));
        }
    }

    /// Nothing is read for this viewer any more; if it was the last, the file is closed.
    fn leave(&mut self, context: &mut Context<'_>) -> FromServer {
        for ended in self.requests.take().into_iter().flat_map(|requests| requests.give_up()) {
            context.send(Bytes::Own(ended.to_frame()));
        }
        let watched = context.logs.watched(&self.log);
        let (at, cursor) = watched.map_or((Start::End, String::new()), |watched| {
            (watched.feed.where_to_resume(&self.position), watched.feed.cursor(&self.position).to_string())
        });
        self.left = Some(Box::new(Left { at, cursor: cursor.clone(), filter: self.position.filter() }));
        self.unsaid = None;
        context.logs.unwatch(context.id);
        FromServer::Stopped { cursor }
    }

    /// Reads on where the viewer was when it left; nothing if it has not. `None` when the log has vanished from the catalogue, or
    /// may not be seen any more.
    fn come_back(&mut self, context: &mut Context<'_>) -> Option<String> {
        let watched = match self.left.take() {
            Some(left) => {
                // Nobody has looked after who is away: what may be seen of the log can be another thing by now.
                context.logs.resolve(&self.log, &context.visitor())?;
                let watched = context.logs.watch(&self.log, context.id, context.now)?;
                let position = watched.feed.start(&left.at, context.now);
                self.position = watched.feed.filtered(&position, left.filter, context.now);
                watched
            }
            None => context.logs.watched(&self.log)?,
        };
        Some(watched.feed.cursor(&self.position).to_string())
    }
}
