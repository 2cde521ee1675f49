//! A gzip bomb, built by hand: 10 MiB of zeroes in 10 KiB.

use std::sync::OnceLock;

/// The number of repetitions, each of the maximum length of 258 bytes. One byte precedes the first repetition.
const REPETITIONS: usize = 40_643;

/// The CRC-32 checksum of the zeroes.
const CHECKSUM: u32 = 0x2ffd_3a2d;

/// The bits of a deflate stream. The lowest bit of each byte comes first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        *self.bytes.last_mut().unwrap() |= u8::from(bit) << (self.count % 8);
        self.count += 1;
    }

    /// Writes `value` as a number with `width` bits, beginning with the lowest bit.
    fn number(&mut self, value: usize, width: usize) {
        (0..width).for_each(|bit| self.push(value >> bit & 1 == 1));
    }

    /// Writes a Huffman code, beginning with its first digit.
    fn code(&mut self, code: &str) {
        code.chars().for_each(|bit| self.push(bit == '1'));
    }
}

/// Returns the bomb, which is built once.
pub(crate) fn gzip_bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255].to_vec();
        let size = u32::try_from(1 + 258 * REPETITIONS).unwrap();
        [head, deflated(), CHECKSUM.to_le_bytes().to_vec(), size.to_le_bytes().to_vec()].concat()
    })
}

/// Returns a block (RFC 1951, 3.2.7) in which a repetition takes two bits: `0` for its length of 258 bytes, and `0` for
/// a distance of one byte.
fn deflated() -> Vec<u8> {
    let mut bits = Bits::default();
    // This is the last block, with dynamic codes: 286 for bytes and lengths, 1 for distances, and 18 for code lengths.
    [(1, 1), (2, 2), (29, 5), (0, 5), (14, 4)].into_iter().for_each(|(value, width)| bits.number(value, width));
    // The bit lengths of the 18 code length codes, in the order of the RFC. They encode 18 (a run of zeroes) as `0`, 1
    // as `10`, and 2 as `11`.
    [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2].into_iter().for_each(|length| bits.number(length, 3));
    let run = |bits: &mut Bits, length: usize| {
        bits.code("0");
        bits.number(length - 11, 7);
    };
    // These lengths give the byte 0 the code `10`, the end of the block `11`, the length 258 `0`, and the only distance
    // `0`.
    bits.code("11");
    run(&mut bits, 138);
    run(&mut bits, 117);
    bits.code("11");
    run(&mut bits, 28);
    bits.code("10");
    bits.code("10");
    bits.code("10");
    (0..REPETITIONS).for_each(|_| bits.code("00"));
    bits.code("11");
    bits.bytes
}
