//! Reads WebSocket frame headers before `actix-http` does, and refuses a frame that declares too much.
//!
//! actix-http buffers a whole declared frame before comparing it with its limit, so one header could make the
//! server hold half a gigabyte (measured with 3.20). Here the declared length is looked at as soon as its
//! bytes arrive. Reserved bits, which actix-http lets pass, are refused, too. Nothing else is judged: a frame within the
//! limit passes on unchanged.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{FromRequest, HttpRequest, dev, error::PayloadError, web};
use bytes::Bytes;
use futures_util::Stream;

/// The most pieces that one message may come in. Each is kept, with some bytes of its own even when it is empty,
/// until the last one arrives; no client needs more than a few.
const MAX_FRAGMENTS: u32 = 4_096;

/// The bits of a frame's first byte that stand for extensions, of which we have none.
const RESERVED: u8 = 0x70;

/// The request's payload with the guard before it.
pub fn guarded(request: &HttpRequest, payload: &mut dev::Payload, max_frame_bytes: usize) -> web::Payload {
    let guard = Guard { inner: payload.take(), headers: FrameHeaders::new(max_frame_bytes as u64) };
    let guarded: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(guard);
    let mut stream = dev::Payload::from(guarded);
    web::Payload::from_request(request, &mut stream).into_inner().expect("taking a payload cannot fail")
}

struct Guard {
    inner: dev::Payload,
    headers: FrameHeaders,
}

impl Stream for Guard {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.inner).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled
            && let Err(refusal) = self.headers.judge(bytes)
        {
            return Poll::Ready(Some(Err(refusal.into())));
        }
        polled
    }
}

/// Why a frame is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It declares more bytes than are allowed, or is one piece too many.
    TooMuch,
    /// It means something that was not agreed on (RFC 6455, section 5.2: RSV1 to RSV3).
    Reserved,
}

/// The error that tells [`super::Connection`] which it was.
impl From<Refusal> for PayloadError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooMuch => Self::Overflow,
            Refusal::Reserved => Self::EncodingCorrupted,
        }
    }
}

/// Follows the frames of a byte stream.
#[derive(Debug)]
struct FrameHeaders {
    max_payload: u64,
    /// The header read so far: at most 2 bytes, 8 of length and 4 of mask.
    header: [u8; 14],
    header_length: usize,
    /// Payload bytes of the present frame that are still to come.
    to_skip: u64,
    /// Pieces of the present message so far.
    fragments: u32,
}

impl FrameHeaders {
    fn new(max_payload: u64) -> Self {
        Self { max_payload, header: [0; 14], header_length: 0, to_skip: 0, fragments: 0 }
    }

    /// Takes in the next bytes.
    fn judge(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            if self.to_skip > 0 {
                let skipped = self.to_skip.min(bytes.len() as u64);
                self.to_skip -= skipped;
                bytes = &bytes[skipped as usize..];
                continue;
            }
            self.header[self.header_length] = bytes[0];
            self.header_length += 1;
            bytes = &bytes[1..];
            if self.header[0] & RESERVED != 0 {
                return Err(Refusal::Reserved);
            }
            if let Some(payload) = self.complete() {
                self.count_fragment();
                if payload > self.max_payload || self.fragments > MAX_FRAGMENTS {
                    return Err(Refusal::TooMuch);
                }
                self.to_skip = payload;
                self.header_length = 0;
            }
        }
        Ok(())
    }

    /// RFC 6455, section 5.4: the last piece has the FIN bit; control frames may stand between pieces.
    fn count_fragment(&mut self) {
        let (is_last, opcode) = (self.header[0] & 0x80 != 0, self.header[0] & 0x0F);
        match (opcode < 0x8, is_last) {
            (true, true) => self.fragments = 0,
            (true, false) => self.fragments += 1,
            (false, _) => {}
        }
    }

    /// The declared payload length, once the whole header is there (RFC 6455, section 5.2).
    fn complete(&self) -> Option<u64> {
        let header = &self.header[..self.header_length];
        let second = *header.get(1)?;
        let mask_bytes = if second & 0x80 != 0 { 4 } else { 0 };
        let (length_bytes, payload) = match second & 0x7F {
            126 => (2, header.get(2..4).map(|length| u64::from(u16::from_be_bytes([length[0], length[1]])))),
            127 => (8, header.get(2..10).and_then(|length| length.try_into().ok()).map(u64::from_be_bytes)),
            short => (0, Some(u64::from(short))),
        };
        let payload = payload?;
        // Too much is too much, whether or not its mask has arrived.
        (payload > self.max_payload || header.len() == 2 + length_bytes + mask_bytes).then_some(payload)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: usize) -> Vec<u8> {
        let mut frame = vec![0x82];
        match payload {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            medium @ 126..=0xFFFF => {
                frame.push(0x80 | 126);
                frame.extend((medium as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.resize(frame.len() + payload, 0xAA);
        frame
    }

    #[test]
    fn a_header_that_declares_a_terabyte_is_refused_before_any_payload() {
        let mut header = vec![0x82, 0x80 | 127];
        header.extend((1u64 << 40).to_be_bytes());
        assert_eq!(FrameHeaders::new(65_536).judge(&header), Err(Refusal::TooMuch));
    }

    #[test]
    fn a_message_in_endless_empty_pieces_is_refused_and_pings_between_do_not_count() {
        let (piece, ping, last) = ([0x00, 0x80, 1, 2, 3, 4], [0x89, 0x80, 1, 2, 3, 4], [0x80, 0x80, 1, 2, 3, 4]);
        let mut headers = FrameHeaders::new(65_536);
        for _ in 0..MAX_FRAGMENTS {
            assert_eq!(headers.judge(&piece).and_then(|()| headers.judge(&ping)), Ok(()));
        }
        assert_eq!(headers.judge(&last), Ok(()), "the last piece ends the count");
        assert!((0..MAX_FRAGMENTS).all(|_| headers.judge(&piece).is_ok()));
        assert_eq!(headers.judge(&piece), Err(Refusal::TooMuch));
    }

    proptest! {
        #[test]
        fn frames_within_the_limit_pass_however_they_are_cut(
            payloads in prop::collection::vec(0usize..70_000, 1..6), cut in 1usize..5_000,
        ) {
            let limit = 65_536;
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| frame(*payload)).collect();
            let mut headers = FrameHeaders::new(limit as u64);
            let passed = bytes.chunks(cut).all(|chunk| headers.judge(chunk).is_ok());
            prop_assert_eq!(passed, payloads.iter().all(|payload| *payload <= limit));
        }
    }
}
