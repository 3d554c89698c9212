import FalconSchema
import Glibc

/// MD5 as md5() needs it. Not for security.
enum MD5 {
    private static let table: [UInt32] = (0..<64).map { index in
        // floor(|sin(i + 1)| × 2^32)
        UInt32(truncatingIfNeeded: Int64(abs(sine(Double(index + 1))) * 4_294_967_296))
    }

    private static func sine(_ x: Double) -> Double { sin(x) }

    static func hexDigest(
        _ bytes: UnsafeRawBufferPointer, _ context: FunctionContext
    ) throws(SQLError) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in try digest(bytes, context) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func digest(
        _ bytes: UnsafeRawBufferPointer, _ context: FunctionContext
    ) throws(SQLError) -> [UInt8] {
        var state: (UInt32, UInt32, UInt32, UInt32) = (
            0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476
        )
        let length = (UInt64(bytes.count) &* 8).littleEndian
        try DigestBlocks.each(bytes, length: length, context) { blocks in
            table.withUnsafeBufferPointer { constants in
                for block in 0..<blocks.count / 64 {
                    round(&state, blocks.baseAddress, block * 64, constants)
                }
            }
        }
        return [state.0, state.1, state.2, state.3].flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) }
        }
    }

    /// Works one block of 64 bytes into `state`.
    @inline(__always)
    private static func round(
        _ state: inout (UInt32, UInt32, UInt32, UInt32), _ base: UnsafeRawPointer?, _ offset: Int,
        _ constants: UnsafeBufferPointer<UInt32>
    ) {
        guard let base else { return }
        @inline(__always) func word(_ index: Int) -> UInt32 {
            (base + offset).loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self).littleEndian
        }
        var (a, b, c, d) = state
        @inline(__always) func step(_ f: UInt32, _ index: Int, _ g: Int, _ shift: UInt32) {
            let sum = f &+ a &+ constants[index] &+ word(g)
            a = d
            d = c
            c = b
            b = b &+ (sum &<< shift | sum &>> (32 &- shift))
        }
        for i in stride(from: 0, to: 16, by: 4) {
            step((b & c) | (~b & d), i, i, 7)
            step((b & c) | (~b & d), i &+ 1, i &+ 1, 12)
            step((b & c) | (~b & d), i &+ 2, i &+ 2, 17)
            step((b & c) | (~b & d), i &+ 3, i &+ 3, 22)
        }
        for i in stride(from: 16, to: 32, by: 4) {
            step((d & b) | (~d & c), i, (5 &* i &+ 1) & 15, 5)
            step((d & b) | (~d & c), i &+ 1, (5 &* i &+ 6) & 15, 9)
            step((d & b) | (~d & c), i &+ 2, (5 &* i &+ 11) & 15, 14)
            step((d & b) | (~d & c), i &+ 3, (5 &* i &+ 16) & 15, 20)
        }
        for i in stride(from: 32, to: 48, by: 4) {
            step(b ^ c ^ d, i, (3 &* i &+ 5) & 15, 4)
            step(b ^ c ^ d, i &+ 1, (3 &* i &+ 8) & 15, 11)
            step(b ^ c ^ d, i &+ 2, (3 &* i &+ 11) & 15, 16)
            step(b ^ c ^ d, i &+ 3, (3 &* i &+ 14) & 15, 23)
        }
        for i in stride(from: 48, to: 64, by: 4) {
            step(c ^ (b | ~d), i, (7 &* i) & 15, 6)
            step(c ^ (b | ~d), i &+ 1, (7 &* i &+ 7) & 15, 10)
            step(c ^ (b | ~d), i &+ 2, (7 &* i &+ 14) & 15, 15)
            step(c ^ (b | ~d), i &+ 3, (7 &* i &+ 21) & 15, 21)
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
    }
}

/// Cuts a message into blocks of 64 bytes, with the padding MD5 and SHA-2 share at its end.
enum DigestBlocks {
    /// Calls `body` with whole blocks, many at a time, and asks in between whether to stop.
    /// - Parameter length: the message's bits, in the byte order that the digest has them in.
    static func each(
        _ bytes: UnsafeRawBufferPointer, length: UInt64, _ context: FunctionContext,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(SQLError) {
        let whole = bytes.count & ~63
        try TextBytes.inStrides(whole, context) { range in
            body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        var tail = Array(bytes[whole...])
        tail.append(0x80)
        while tail.count % 64 != 56 { tail.append(0) }
        withUnsafeBytes(of: length) { tail.append(contentsOf: $0) }
        tail.withUnsafeBytes { body($0) }
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

    static func sha256(
        _ bytes: [UInt8], _ context: FunctionContext
    ) throws(SQLError) -> [UInt8] {
        try digest(
            bytes, context,
            [
                0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                0x1f83d9ab, 0x5be0cd19,
            ])
    }

    static func sha224(
        _ bytes: [UInt8], _ context: FunctionContext
    ) throws(SQLError) -> [UInt8] {
        Array(
            try digest(
                bytes, context,
                [
                    0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511,
                    0x64f98fa7, 0xbefa4fa4,
                ]
            ).prefix(28))
    }

    private static func digest(
        _ bytes: [UInt8], _ context: FunctionContext, _ start: [UInt32]
    ) throws(SQLError) -> [UInt8] {
        var state = start
        let length = (UInt64(bytes.count) &* 8).bigEndian
        try bytes.withUnsafeBytesThrowing { (message) throws(SQLError) in
            try DigestBlocks.each(message, length: length, context) { blocks in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
                    rounds.withUnsafeBufferPointer { constants in
                        for block in 0..<blocks.count / 64 {
                            round(&state, blocks, block * 64, w, constants)
                        }
                    }
                }
            }
        }
        return state.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - $0 * 8)) }
        }
    }

    /// Works one block of 64 bytes into `state`; `w` is room for the schedule.
    @inline(__always)
    private static func round(
        _ state: inout [UInt32], _ bytes: UnsafeRawBufferPointer, _ offset: Int,
        _ w: UnsafeMutableBufferPointer<UInt32>, _ constants: UnsafeBufferPointer<UInt32>
    ) {
        @inline(__always) func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
            value &>> count | value &<< (32 &- count)
        }
        for index in 0..<16 {
            w[index] =
                bytes.loadUnaligned(fromByteOffset: offset + index * 4, as: UInt32.self).bigEndian
        }
        for index in 16..<64 {
            let a = w[index - 15]
            let b = w[index - 2]
            let s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
            let s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
            w[index] = w[index - 16] &+ s0 &+ w[index - 7] &+ s1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[index] &+ w[index]
            let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e) = (g, f, e, d &+ t1)
            (d, c, b, a) = (c, b, a, t1 &+ t2)
        }
        for (index, value) in [a, b, c, d, e, f, g, h].enumerated() {
            state[index] = state[index] &+ value
        }
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
