//! Stop requests: SIGTERM and SIGINT set a flag that is read between steps, and end a wait.
//!
//! The first signal requests a stop. The second ends the process at once; a home survives this like
//! any other end.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// The stop request of the process.
#[derive(Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Stop {
    /// Starts to listen to SIGTERM and SIGINT.
    ///
    /// # Errors
    /// The system's error if it provides no handler or no socket.
    pub fn on_signals() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let (wake, ring) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            // Registered before the handler that sets the flag, so that only the second signal ends
            // the process.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            pipe::register(signal, ring.try_clone()?)?;
        }
        Ok(Self { asked, wake })
    }

    /// True after the first signal.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits for a time or until a signal; returns true after a signal.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        if !self.is_asked() && !time.is_zero() && self.wake.set_read_timeout(Some(time)).is_ok() {
            // The read ends with a byte or at the timeout; the flag has the answer in both cases.
            let _ = (&self.wake).read(&mut [0]);
        }
        self.is_asked()
    }
}
