//! Messages on a stream: each behind its length in four octets (RFC 4120, section 7.2.2).

use crate::{error::Error, limits};

/// What stands at the front of the bytes that a stream has brought so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message.
    Message {
        /// It.
        message: &'a [u8],
        /// How many bytes it takes with its length.
        consumed: usize,
    },
    /// The front of a message.
    Incomplete {
        /// How many bytes are missing at least.
        missing: usize,
    },
}

/// Finds the first message in `bytes`.
///
/// ```
/// use fake_dc_kerberos::{Frame, frame, unframe};
///
/// let bytes = frame(b"message");
/// assert_eq!(unframe(&bytes), Ok(Frame::Message { message: b"message", consumed: 11 }));
/// assert_eq!(unframe(&bytes[..9]), Ok(Frame::Incomplete { missing: 2 }));
/// ```
///
/// # Errors
///
/// [`Error::TooLarge`] past [`limits::STREAM_BYTES_MAX`], or if the high bit of the length is set,
/// which is reserved for extensions.
pub fn unframe(bytes: &[u8]) -> Result<Frame<'_>, Error> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(Frame::Incomplete { missing: 4 - bytes.len() });
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limits::STREAM_BYTES_MAX {
        return Err(Error::TooLarge {
            what: "message",
            found: length,
            limit: limits::STREAM_BYTES_MAX,
        });
    }
    Ok(match rest.get(..length) {
        Some(message) => Frame::Message { message, consumed: length + 4 },
        None => Frame::Incomplete { missing: length - rest.len() },
    })
}

/// `message` behind its length.
pub fn frame(message: &[u8]) -> Vec<u8> {
    // A message of ours is far from 4 GiB.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), message].concat()
}
