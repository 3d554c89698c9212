import Testing

@testable import FalconStorage

/// What libcrypto is asked for is what the standards say.
@Suite struct EncryptionVectorTests {
    static func bytes(hex: String) -> [UInt8] {
        var result: [UInt8] = []
        var high: UInt8?
        for digit in hex.utf8 {
            let value = digit < 0x3A ? digit - 0x30 : digit - 0x57
            if let first = high {
                result.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return result
    }

    struct Vector: Sendable {
        var key: String
        var nonce: String
        var plain: String
        var additional: String
        var sealed: String
    }

    /// Test cases 13, 14 and 16 of the GCM specification: ciphertext and tag.
    static let vectors = [
        Vector(
            key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
            plain: "", additional: "", sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
            plain: String(repeating: "00", count: 16), additional: "",
            sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888",
            plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            additional: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test(arguments: vectors)
    func galoisCounterMode(_ vector: Vector) throws {
        let key = Self.bytes(hex: vector.key)
        let nonce = Self.bytes(hex: vector.nonce)
        let plain = Self.bytes(hex: vector.plain)
        let additional = Self.bytes(hex: vector.additional)
        let sealed = Self.bytes(hex: vector.sealed)
        #expect(AESGCM.seal(plain, key: key, nonce: nonce, additional: additional) == sealed)
        #expect(AESGCM.open(sealed, key: key, nonce: nonce, additional: additional) == plain)
        #expect(
            AESGCM.open(sealed, key: key, nonce: nonce, additional: additional + [0]) == nil)
        for bit in 0..<(sealed.count * 8) {
            var other = sealed
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(AESGCM.open(other, key: key, nonce: nonce, additional: additional) == nil)
        }
    }

    /// RFC 7914, section 11.
    @Test func passphrasesAreStretched() {
        #expect(
            MasterSecret.stretch(Array("passwd".utf8), salt: Array("salt".utf8), iterations: 1)
                == Self.bytes(
                    hex: "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"))
        #expect(
            MasterSecret.stretch(
                Array("Password".utf8), salt: Array("NaCl".utf8), iterations: 80_000)
                == Self.bytes(
                    hex: "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"))
        #expect(MasterSecret.iterations >= 600_000)
    }

    /// A file's cipher is AES-256-GCM with nonce and additional data as ``SealPlace`` says.
    @Test func aPieceIsSealedWithItsPlace() throws {
        let key = try AESGCM.random(32)
        let cipher = FileCipher(key: key, envelope: nil)
        let uid = UID(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)
        let place = SealPlace(uid: uid, kind: 0x10, counter: 0x2122_2324, head: (3, 4))
        for count in [0, 1, 16, 4096, 70_001] {
            let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var sealed = plain + [UInt8](repeating: 0, count: FileCipher.tagBytes)
            try sealed.withUnsafeMutableBytes { bytes in
                let base = try #require(bytes.baseAddress)
                try cipher.seal(base, count: count, at: place)
            }
            var nonce = ByteWriter()
            nonce.appendFixed(place.kind)
            nonce.appendFixed(place.counter)
            var additional = ByteWriter()
            additional.append(uid)
            for word in [0x10, place.counter, 3, 4] { additional.appendFixed(word) }
            #expect(
                AESGCM.seal(
                    plain, key: key, nonce: nonce.bytes, additional: additional.bytes) == sealed)
            var room = [UInt8](repeating: 0, count: max(count, 1))
            var others = [place, place, place, place, place]
            others[1].counter += 1
            others[2].kind += 1
            others[3].head.1 += 1
            others[4].uid.low += 1
            for (index, other) in others.enumerated() {
                let opens = sealed.withUnsafeBytes { bytes in
                    room.withUnsafeMutableBytes { room in
                        room.baseAddress.map { cipher.open(bytes, into: $0, at: other) } ?? false
                    }
                }
                #expect(opens == (index == 0), "\(count) bytes, place \(index)")
            }
            if count > 0 {
                _ = sealed.withUnsafeBytes { bytes in
                    room.withUnsafeMutableBytes { room in
                        room.baseAddress.map { cipher.open(bytes, into: $0, at: place) }
                    }
                }
                #expect(room == plain)
            }
        }
    }
}
