//! Passwords are looked at beside the loop: each look takes tens of milliseconds and of megabytes, so one thread does one
//! after the other, and few may wait for it.
//!
//! Knows passwords and whose connection waits; not what follows.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread;

use super::password::Password;
use crate::net::ConnId;

/// So many passwords wait to be looked at, beside the one that is.
const WAITING: usize = 8;

/// What is to be looked at: whether `typed` is `password`.
pub struct Question {
    /// Who waits for the answer.
    pub asker: ConnId,
    /// What is kept.
    pub password: Password,
    /// What was typed.
    pub typed: String,
}

/// Who waited for it, and what is kept of the password if it was the right one.
pub type Answer = (ConnId, Option<Password>);

/// The helper, and the ways to it and back. It ends when this is dropped.
#[derive(Debug)]
pub struct Verifier {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    /// Has a byte for each answer.
    told: UnixStream,
}

impl Verifier {
    /// Starts the helper.
    ///
    /// # Errors
    /// When the system refuses a thread or a pipe.
    pub fn start() -> io::Result<Self> {
        let (told, tells) = UnixStream::pair()?;
        told.set_nonblocking(true)?;
        let (questions, asked) = sync_channel(WAITING);
        let (answering, answers) = channel();
        thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || answer_all(&asked, &answering, &tells))?;
        Ok(Self { questions, answers, told })
    }

    /// Hands a question over.
    ///
    /// # Errors
    /// If too many wait already.
    #[expect(clippy::result_unit_err, reason = "there is no more to be said")]
    pub fn ask(&self, question: Question) -> Result<(), ()> {
        match self.questions.try_send(question) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(()),
            Err(TrySendError::Disconnected(_)) => {
                log::error!("nobody looks at passwords any more; the server needs a restart");
                Err(())
            }
        }
    }

    /// The answers since this was last asked.
    pub fn answers(&mut self) -> Vec<Answer> {
        // No more bytes than questions can have been asked.
        let _ = self.told.read(&mut [0; 2 * WAITING]);
        self.answers.try_iter().collect()
    }
}

impl AsRawFd for Verifier {
    fn as_raw_fd(&self) -> RawFd {
        self.told.as_raw_fd()
    }
}

/// The helper's life.
fn answer_all(questions: &Receiver<Question>, answers: &Sender<Answer>, mut tells: &UnixStream) {
    for Question { asker, password, typed } in questions {
        let right = password.is(&typed);
        if answers.send((asker, Some(password).filter(|_| right))).is_err() || tells.write_all(&[1]).is_err()
        {
            return;
        }
    }
}
