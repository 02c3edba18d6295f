//! Certificates that nobody else has.

/// An authority, and a certificate for this machine that it signed.
pub fn fresh() -> [(&'static str, String); 3] {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let signed = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    [
        ("INTERNAL_TLS_CERT", signed.pem()),
        ("INTERNAL_TLS_KEY", key.serialize_pem()),
        ("INTERNAL_TLS_CA", authority.pem()),
    ]
}
