// SPDX-License-Identifier: Apache-2.0
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certs is what the server shows. With a CA of its own it can show bad ones.
type certs struct {
	good  tls.Certificate
	ca    *x509.Certificate // nil: none of our own
	caKey crypto.Signer
}

// tlsChoice is what one connection gets.
type tlsChoice struct {
	c      *certs
	config *tls.Config
}

func loadCerts(cert, key string) (*certs, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	return &certs{good: pair}, err
}

func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
}

func makeCerts(dir string) (*certs, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template("peer's CA")
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	t.ExtKeyUsage, t.DNSNames, t.IPAddresses = nil, nil, nil
	t.NotBefore = time.Now().Add(-1000 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c := &certs{caKey: key}
	if c.ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if c.good, err = c.issue(template("localhost")); err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return c, os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o644)
}

// issue signs with the CA.
func (c *certs) issue(t *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.ca, key.Public(), c.caKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func (c *certs) config(a *armed) *tls.Config {
	choice := &tlsChoice{c, &tls.Config{Certificates: []tls.Certificate{c.good}, NextProtos: []string{"http/1.1"}}}
	if a != nil && a.tls != nil {
		a.tls(choice)
	}
	return choice.config
}

// changed shows a certificate that differs from the good one.
func changed(change func(t *x509.Certificate)) func(*tlsChoice) {
	return func(choice *tlsChoice) {
		t := template("localhost")
		change(t)
		if cert, err := choice.c.issue(t); err == nil {
			choice.config.Certificates = []tls.Certificate{cert}
		}
	}
}

// weak shows a certificate of an RSA key of 1024 bits, or one signed by a CA with SHA-1, which both were good once.
func weak(bits int, signed x509.SignatureAlgorithm) func(*tlsChoice) {
	return func(choice *tlsChoice) {
		caKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return
		}
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return
		}
		// A CA between ours and the certificate: ours signs with ECDSA.
		middle, leaf := template("between"), template("localhost")
		middle.IsCA, middle.BasicConstraintsValid, middle.KeyUsage = true, true, x509.KeyUsageCertSign
		middle.ExtKeyUsage, middle.DNSNames, middle.IPAddresses = nil, nil, nil
		leaf.SignatureAlgorithm = signed
		middleDER, err := x509.CreateCertificate(rand.Reader, middle, choice.c.ca, caKey.Public(), choice.c.caKey)
		if err != nil {
			return
		}
		parsed, _ := x509.ParseCertificate(middleDER)
		if der, err := x509.CreateCertificate(rand.Reader, leaf, parsed, key.Public(), caKey); err == nil {
			choice.config.Certificates = []tls.Certificate{{Certificate: [][]byte{der, middleDER}, PrivateKey: key}}
		}
	}
}

func configured(change func(c *tls.Config)) func(*tlsChoice) {
	return func(choice *tlsChoice) { change(choice.config) }
}

func selfSigned(choice *tlsChoice) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return
	}
	t := template("localhost")
	if der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key); err == nil {
		choice.config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	}
}

var tlsFaults = []fault{
	{name: "tls-expired", what: "the certificate expired an hour ago", tls: changed(func(t *x509.Certificate) {
		t.NotBefore, t.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	})},
	{name: "tls-not-yet", what: "the certificate is valid in an hour", tls: changed(func(t *x509.Certificate) {
		t.NotBefore = time.Now().Add(time.Hour)
	})},
	{name: "tls-self-signed", what: "a certificate of no CA", tls: selfSigned},
	{name: "tls-wrong-host", what: "a certificate of another host", tls: changed(func(t *x509.Certificate) {
		t.DNSNames, t.IPAddresses, t.Subject.CommonName = []string{"other.example"}, nil, "other.example"
	})},
	{name: "tls-no-san", what: "a host that is only in the subject", tls: changed(func(t *x509.Certificate) {
		t.DNSNames, t.IPAddresses = nil, nil
	})},
	{name: "tls-wrong-usage", what: "a certificate of clients", tls: changed(func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})},
	{name: "tls-weak-key", what: "a certificate of an RSA key of 1024 bits", tls: weak(1024, x509.SHA256WithRSA)},
	{name: "tls-sha1", what: "a certificate that was signed with SHA-1", tls: weak(2048, x509.SHA1WithRSA)},
	{name: "tls-old", what: "TLS 1.0 and 1.1 only", tls: configured(func(c *tls.Config) {
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	})},
	{name: "tls-weak-cipher", what: "RC4 and 3DES only", tls: configured(func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
	})},
	{name: "tls-client-certificate", what: "a client certificate is wanted (TLS 1.3: told after the handshake)",
		tls: configured(func(c *tls.Config) { c.ClientAuth, c.MinVersion = tls.RequireAnyClientCert, tls.VersionTLS13 })},
	{name: "tls-plain", what: "plain text on the port", wire: func(w *wire, _ int) {
		_, _ = w.TCPConn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
	}},
	{name: "tls-eof-notify", hold: true, what: "close_notify without the websocket's closing handshake",
		live: func(c *call, _ int) error {
			if t, ok := c.x.edge.Conn.(*tls.Conn); ok {
				_ = t.CloseWrite()
			}
			c.x.drop()
			return nil
		}},
}
