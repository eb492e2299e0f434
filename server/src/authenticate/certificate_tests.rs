//! One name of the kind that is asked for, or none; and the time in which it counts.

use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

use super::*;

fn der(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn name(der: &[u8], of: CertificateName) -> Option<String> {
    ClientCertificate::read(der, of).unwrap().name().map(str::to_owned)
}

#[test]
fn a_name_is_taken_from_the_part_that_is_asked_for_and_from_no_other() {
    let certificate = der(|params| {
        params.distinguished_name.push(DnType::CommonName, "kim");
        params.subject_alt_names.push(SanType::DnsName("app.bank".try_into().unwrap()));
        params.subject_alt_names.push(SanType::URI("spiffe://bank/lee".try_into().unwrap()));
    });
    assert_eq!(name(&certificate, CertificateName::CommonName).as_deref(), Some("kim"));
    assert_eq!(name(&certificate, CertificateName::Dns).as_deref(), Some("app.bank"));
    assert_eq!(name(&certificate, CertificateName::Uri).as_deref(), Some("spiffe://bank/lee"));
}

#[test]
fn several_names_are_nobody() {
    let certificate = der(|params| {
        for dns in ["kim", "boss"] {
            params.subject_alt_names.push(SanType::DnsName(dns.try_into().unwrap()));
        }
    });
    for of in [CertificateName::Dns, CertificateName::Uri, CertificateName::CommonName] {
        assert_eq!(name(&certificate, of), None, "{of:?}");
    }
}

#[test]
fn certificates_are_told_apart_by_all_of_their_bytes() {
    let read = |der: &[u8]| ClientCertificate::read(der, CertificateName::CommonName).unwrap();
    let named = || der(|params| params.distinguished_name.push(DnType::CommonName, "kim"));
    let (one, other) = (named(), named());
    assert_ne!(read(&one).digest(), read(&other).digest(), "one name, two keys");
    assert_eq!(read(&one), read(&one));
    assert_eq!(read(&one).thumbprint().len(), 43);
}

#[test]
fn a_certificate_counts_from_its_first_second_to_its_last() {
    let certificate = der(|params| {
        (params.not_before, params.not_after) =
            (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 2, 1));
    });
    let read = ClientCertificate::read(&certificate, CertificateName::CommonName).unwrap();
    let (first, last) = (1_767_225_600, 1_769_904_000);
    let good = [first - 1, first, last, last + 1].map(|at| read.is_good_at(at));
    assert_eq!(good, [false, true, true, false]);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let mut longer = der(|_| ());
    longer.push(0);
    for bytes in [&b""[..], b"kim", &[0x30, 0x82, 0xff, 0xff], &longer] {
        assert!(ClientCertificate::read(bytes, CertificateName::CommonName).is_none());
    }
}
