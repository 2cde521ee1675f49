//! Parses PEM in the forms that occur in practice: with a byte order mark, in UTF-16, with any line ends,
//! indentation, and OpenSSL's other labels for certificates. Pure.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Other labels for a certificate. With the label `TRUSTED CERTIFICATE`, trust settings follow the certificate.
const CERTIFICATE_LABELS: [&[u8]; 2] = [b"TRUSTED CERTIFICATE-----", b"X509 CERTIFICATE-----"];

/// PEM text in the form that the parser accepts: lines that end in LF, without white space around them, with one label
/// for all certificates. It may contain a key.
pub(super) struct Pem(Zeroizing<Vec<u8>>);

/// The reason why there is no private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The text contains no private key.
    Missing,
    /// The key has a passphrase.
    Encrypted,
    /// The key is in OpenSSH's own format.
    OfOpenSsh,
}

impl Pem {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let ascii = match bytes {
            // PEM is ASCII, so only the low byte of each UTF-16 unit is kept. Other characters occur only in comments.
            [0xff, 0xfe, units @ ..] => Zeroizing::new(units.iter().step_by(2).copied().collect()),
            [0xfe, 0xff, units @ ..] => Zeroizing::new(units.iter().skip(1).step_by(2).copied().collect()),
            [0xef, 0xbb, 0xbf, text @ ..] => Zeroizing::new(text.to_vec()),
            text => Zeroizing::new(text.to_vec()),
        };
        // The capacity is reserved in full, because a vector that reallocates leaves behind an unwiped copy of the key.
        let mut text = Zeroizing::new(Vec::with_capacity(ascii.len().saturating_add(1)));
        for line in ascii.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
            let label = line.strip_prefix(b"-----BEGIN ").or_else(|| line.strip_prefix(b"-----END "));
            match label.filter(|label| CERTIFICATE_LABELS.contains(label)) {
                Some(_) if line.starts_with(b"-----B") => text.extend_from_slice(b"-----BEGIN CERTIFICATE-----"),
                Some(_) => text.extend_from_slice(b"-----END CERTIFICATE-----"),
                None => text.extend_from_slice(line),
            }
            text.push(b'\n');
        }
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the certificates that can be decoded. Removes the trust settings that may follow them.
    pub(super) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(&self.0).filter_map(Result::ok).map(|der| match sequence_length(&der) {
            Some(length) if length < der.len() => der.get(..length).unwrap_or_default().to_vec().into(),
            _ => der,
        })
    }

    /// Returns the first private key, or the reason why there is none.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, NoKey> {
        let contains = |words: &[u8]| self.0.windows(words.len()).any(|part| part == words);
        PrivateKeyDer::from_pem_slice(&self.0).map_err(|_| match () {
            // Matches `BEGIN ENCRYPTED PRIVATE KEY` and the header `Proc-Type: 4,ENCRYPTED` of an older format.
            () if contains(b"ENCRYPTED") => NoKey::Encrypted,
            () if contains(b"BEGIN OPENSSH PRIVATE KEY") => NoKey::OfOpenSsh,
            () => NoKey::Missing,
        })
    }

    /// Returns whether the text contains a DSA key in its own format, not in PKCS #8. The TLS library supports
    /// neither.
    pub(super) fn has_dsa_key(&self) -> bool {
        self.0.windows(21).any(|part| part == b"BEGIN DSA PRIVATE KEY")
    }
}

/// Returns the length, including the header, of the ASN.1 sequence at the beginning of `der`. Returns None if there
/// is no sequence, or if its length has more than three bytes.
fn sequence_length(der: &[u8]) -> Option<usize> {
    let (header, length) = match *der {
        [0x30, short @ ..=0x7f, ..] => (2, usize::from(short)),
        [0x30, 0x81, length, ..] => (3, usize::from(length)),
        [0x30, 0x82, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        [0x30, 0x83, high, middle, low, ..] => {
            (5, usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX))
        }
        _ => return None,
    };
    length.checked_add(header)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
        Pem::new(bytes).certificates().collect()
    }

    #[test]
    fn a_certificate_is_found_however_its_text_is_written() {
        let pem = fs::read_to_string("tests/data/ca.pem").unwrap();
        let der: Vec<_> = certificates(pem.as_bytes());
        assert_eq!(der.len(), 1);
        let utf_16 = |order: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(pem.encode_utf16()).flat_map(order);
        let lines: Vec<&str> = pem.lines().collect();
        let texts: [Vec<u8>; 11] = [
            format!("\u{feff}{pem}").into(),
            utf_16(u16::to_le_bytes).collect(),
            utf_16(u16::to_be_bytes).collect(),
            pem.replace('\n', "\r\n").into(),
            pem.replace('\n', "\r").into(),
            lines.join("  \n").into(),
            format!("  {}", lines.join("\n\t")).into(),
            format!("# our CA\n\n{pem}").into(),
            [b"# Zertifikat f\xfcr uns\n".as_slice(), pem.as_bytes()].concat(),
            pem.replace("CERTIFICATE", "X509 CERTIFICATE").into(),
            pem.trim_end().into(),
        ];
        for text in texts {
            assert_eq!(certificates(&text), der, "{}", String::from_utf8_lossy(&text));
        }
        let twice = format!("{}\n{pem}", pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"));
        assert_eq!(certificates(twice.as_bytes()), [der.as_slice(), der.as_slice()].concat());
    }

    #[test]
    fn trust_settings_after_a_certificate_are_ignored() {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        let der = certificates(&fs::read("tests/data/ca.pem").unwrap()).remove(0);
        let trusted = STANDARD.encode([&*der, b"\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"].concat());
        let text = format!("-----BEGIN TRUSTED CERTIFICATE-----\n{trusted}\n-----END TRUSTED CERTIFICATE-----\n");
        assert_eq!(certificates(text.as_bytes()), [der]);
    }

    #[test]
    fn one_undecodable_certificate_does_not_hide_the_others() {
        let pem = fs::read_to_string("tests/data/ca.pem").unwrap();
        let bad = "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(format!("{bad}{pem}{bad}{pem}").as_bytes()).len(), 2);
    }

    #[test]
    fn the_reason_for_a_missing_key_is_returned() {
        let reason = |text: &str| Pem::new(text.as_bytes()).private_key().unwrap_err();
        assert_eq!(reason(""), NoKey::Missing);
        assert_eq!(
            reason("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----"),
            NoKey::Encrypted
        );
        assert_eq!(
            reason("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----"),
            NoKey::Encrypted
        );
        assert_eq!(
            reason("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"),
            NoKey::OfOpenSsh
        );
    }

    #[test]
    fn a_length_is_that_of_the_first_value() {
        for (der, length) in [
            (&b"\x30\x00\x01"[..], Some(2)),
            (b"\x30\x7f", Some(129)),
            (b"\x30\x81\x80", Some(131)),
            (b"\x30\x82\x01\x00", Some(260)),
            (b"\x30\x83\x01\x00\x00", Some(65_541)),
            (b"\x30\x84\x01\x00\x00\x00", None),
            (b"\x31\x00", None),
            (b"\x30", None),
            (b"", None),
        ] {
            assert_eq!(sequence_length(der), length);
        }
    }
}
