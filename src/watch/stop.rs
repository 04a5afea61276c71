//! Stop requests: SIGTERM and SIGINT set a flag that is read between steps, and end a wait.
//!
//! The first signal requests a stop; the second ends the process at once, which a home survives
//! like any other end.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// Whether the process is asked to stop.
#[derive(Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Stop {
    /// Listens to SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    /// The system's error if it gives no handler or no socket.
    pub fn on_signals() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let (wake, ring) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            // Before the flag is set by the first signal, so that only the second one ends it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            pipe::register(signal, ring.try_clone()?)?;
        }
        Ok(Self { asked, wake })
    }

    /// Whether a signal came.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until the time is over or a signal comes; whether one has.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        if !self.is_asked() && !time.is_zero() && self.wake.set_read_timeout(Some(time)).is_ok() {
            // A byte, or none in that time; either way the flag says it.
            let _ = (&self.wake).read(&mut [0]);
        }
        self.is_asked()
    }
}
