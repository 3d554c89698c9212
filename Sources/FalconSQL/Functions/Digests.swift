import FalconSchema
import Glibc

/// MD5 as md5() needs it. Not for security.
enum MD5 {
    private static let shifts: [UInt32] = [
        7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21,
    ]
    private static let table: [UInt32] = (0..<64).map { index in
        // floor(|sin(i + 1)| × 2^32)
        UInt32(truncatingIfNeeded: Int64(abs(sine(Double(index + 1))) * 4_294_967_296))
    }

    private static func sine(_ x: Double) -> Double { sin(x) }

    static func hexDigest(_ bytes: UnsafeRawBufferPointer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in digest(bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var message = Array(bytes)
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        let bits = UInt64(bytes.count) &* 8
        for shift in 0..<8 { message.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift * 8))) }
        var state: (UInt32, UInt32, UInt32, UInt32) = (
            0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476
        )
        var offset = 0
        while offset < message.count {
            var words: [UInt32] = []
            for word in 0..<16 {
                let at = offset + word * 4
                words.append(
                    UInt32(message[at]) | UInt32(message[at + 1]) << 8
                        | UInt32(message[at + 2]) << 16 | UInt32(message[at + 3]) << 24)
            }
            var (a, b, c, d) = state
            for round in 0..<64 {
                var f: UInt32
                let g: Int
                switch round / 16 {
                case 0:
                    f = (b & c) | (~b & d)
                    g = round
                case 1:
                    f = (d & b) | (~d & c)
                    g = (5 * round + 1) % 16
                case 2:
                    f = b ^ c ^ d
                    g = (3 * round + 5) % 16
                default:
                    f = c ^ (b | ~d)
                    g = (7 * round) % 16
                }
                f = f &+ a &+ table[round] &+ words[g]
                a = d
                d = c
                c = b
                let shift = shifts[round / 16 * 4 + round % 4]
                b = b &+ (f << shift | f >> (32 - shift))
            }
            state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
            offset += 64
        }
        var result: [UInt8] = []
        for word in [state.0, state.1, state.2, state.3] {
            for shift in 0..<4 {
                result.append(UInt8(truncatingIfNeeded: word >> UInt32(shift * 8)))
            }
        }
        return result
    }
}

/// SHA-224 and SHA-256.
enum SHA2 {
    private static let rounds: [UInt32] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    ]

    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        digest(
            bytes,
            [
                0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                0x1f83d9ab, 0x5be0cd19,
            ])
    }

    static func sha224(_ bytes: [UInt8]) -> [UInt8] {
        Array(
            digest(
                bytes,
                [
                    0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511,
                    0x64f98fa7, 0xbefa4fa4,
                ]
            ).prefix(28))
    }

    private static func digest(_ bytes: [UInt8], _ start: [UInt32]) -> [UInt8] {
        var message = bytes
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        let bits = UInt64(bytes.count) &* 8
        for shift in 0..<8 {
            message.append(UInt8(truncatingIfNeeded: bits >> UInt64(56 - shift * 8)))
        }
        func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
            value >> count | value << (32 - count)
        }
        var state = start
        var offset = 0
        while offset < message.count {
            var w = [UInt32](repeating: 0, count: 64)
            for index in 0..<16 {
                let at = offset + index * 4
                w[index] =
                    UInt32(message[at]) << 24 | UInt32(message[at + 1]) << 16
                    | UInt32(message[at + 2]) << 8 | UInt32(message[at + 3])
            }
            for index in 16..<64 {
                let a = w[index - 15]
                let b = w[index - 2]
                let s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
                let s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
                w[index] = w[index - 16] &+ s0 &+ w[index - 7] &+ s1
            }
            var v = state
            for index in 0..<64 {
                let s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)
                let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
                let t1 = v[7] &+ s1 &+ choice &+ rounds[index] &+ w[index]
                let s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
                let t2 = s0 &+ majority
                v = [t1 &+ t2, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
            }
            for index in 0..<8 { state[index] = state[index] &+ v[index] }
            offset += 64
        }
        var result: [UInt8] = []
        for word in state {
            for shift in 0..<4 {
                result.append(UInt8(truncatingIfNeeded: word >> UInt32(24 - shift * 8)))
            }
        }
        return result
    }
}

enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// With a line feed after every 76 characters, as encode() does.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var line = 0
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            text.append(alphabet[Int(group >> 18 & 63)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            text.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
            line += 4
            if line >= 76, index < bytes.count {
                text.append(0x0A)
                line = 0
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) throws(SQLError) -> [UInt8] {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { continue }
            if byte == UInt8(ascii: "=") {
                guard padding > 0 || count >= 2 else {
                    throw SQLError(
                        .invalidParameterValue,
                        "unexpected \"=\" while decoding base64 sequence")
                }
                padding += 1
                group <<= 6
                count += 1
            } else {
                guard padding == 0, let value = alphabet.firstIndex(of: byte) else {
                    throw SQLError(
                        .invalidParameterValue,
                        "invalid symbol \"\(Character(Unicode.Scalar(byte)))\" found while decoding base64 sequence"
                    )
                }
                group = group << 6 | UInt32(value)
                count += 1
            }
            if count == 4 {
                result.append(UInt8(truncatingIfNeeded: group >> 16))
                if padding < 2 { result.append(UInt8(truncatingIfNeeded: group >> 8)) }
                if padding < 1 { result.append(UInt8(truncatingIfNeeded: group)) }
                group = 0
                count = 0
            }
        }
        if count != 0 {
            throw SQLError(
                .invalidParameterValue, "invalid base64 end sequence",
                hint:
                    "Input data is missing padding, is truncated, or is otherwise corrupted.")
        }
        return result
    }
}
