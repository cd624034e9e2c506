#include "tests/support/http_peers/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace aiflow::peers {

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

std::string textOf(BIO* bio)
{
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pemOf(X509* certificate)
{
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return textOf(bio.get());
}

std::string pemOf(EVP_PKEY* key)
{
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return textOf(bio.get());
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

Certificate unsignedCertificate(EVP_PKEY* key, const std::string& name, int fromDays, int toDays)
{
    static long serial = 1000;
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), fromDays * 86'400L);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), toDays * 86'400L);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
}

void nameHost(X509* certificate, X509* issuer, const std::string& name)
{
    const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
    extend(certificate, issuer, NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
}

} // namespace

struct Authority::State {
    Key key{EVP_EC_gen("P-256")};
    Certificate certificate = unsignedCertificate(key.get(), "Test Authority", -10, 100);
    std::string pem;
};

Authority::Authority() : m_state(std::make_unique<State>())
{
    X509* const own = m_state->certificate.get();
    X509_set_issuer_name(own, X509_get_subject_name(own));
    extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
    extend(own, own, NID_subject_key_identifier, "hash");
    X509_sign(own, m_state->key.get(), EVP_sha256());
    m_state->pem = pemOf(own);
}

Authority::~Authority() = default;

const std::string& Authority::certificatePem() const noexcept { return m_state->pem; }

Identity Authority::issue(const std::string& name, int fromDays, int toDays) const
{
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = unsignedCertificate(key.get(), name, fromDays, toDays);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(m_state->certificate.get()));
    nameHost(certificate.get(), m_state->certificate.get(), name);
    X509_sign(certificate.get(), m_state->key.get(), EVP_sha256());
    return {pemOf(certificate.get()), pemOf(key.get())};
}

Identity selfSigned(const std::string& name)
{
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = unsignedCertificate(key.get(), name, -1, 30);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
    nameHost(certificate.get(), certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    return {pemOf(certificate.get()), pemOf(key.get())};
}

} // namespace aiflow::peers
