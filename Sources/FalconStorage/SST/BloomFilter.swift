import CFalconPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A Bloom filter whose probes for one key all fall into one 64-byte line.
///
///     0   u32  lines
///     4   u32  probes per key
///     8   u64  keys added
///     16  48 bytes zero
///     64  lines x 64 bytes
///
/// A key's XXH3-64: the high half chooses the line, the low half, multiplied on, the bits.
///
/// The filter of a large table is cut into pages of 2^k lines, the last of which may be shorter, each
/// a block of this shape of its own: ``FilterPages`` says where they are.
enum BloomFilter {
    static let headerBytes = 64

    @inline(__always)
    static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 { Checksum.xxh3(key) }

    @inline(__always)
    static func line(_ hash: UInt64, _ lines: UInt32) -> Int {
        Int(((hash &>> 32) &* UInt64(lines)) &>> 32)
    }

    /// The filter block of these hashes.
    static func build(hashes: UnsafeBufferPointer<UInt64>, bitsPerKey: Int)
        -> UnsafeRawBufferPointer
    {
        let bits = max(hashes.count, 1) * max(bitsPerKey, 1)
        let lines = UInt32(clamping: (bits + 511) / 512)
        // ln 2 of the bits per key is best for a plain filter; a blocked one wants a little less.
        let probes = min(max(bitsPerKey * 6 / 10, 1), 16)
        let size = headerBytes + Int(lines) * 64
        let base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memset(base, 0, size)
        base.storeBytes(of: lines, as: UInt32.self)
        base.storeBytes(of: UInt32(probes), toByteOffset: 4, as: UInt32.self)
        base.storeBytes(of: UInt64(hashes.count), toByteOffset: 8, as: UInt64.self)
        let bytes = base + headerBytes
        for index in 0..<hashes.count {
            if index &+ 8 < hashes.count {
                falcon_prefetch(bytes + line(hashes[index &+ 8], lines) &* 64)
            }
            let start = bytes + line(hashes[index], lines) &* 64
            var h = UInt32(truncatingIfNeeded: hashes[index])
            for _ in 0..<probes {
                let bit = Int(h &>> 23)
                let address = start + (bit &>> 3)
                address.storeBytes(
                    of: address.load(as: UInt8.self) | UInt8(1) &<< UInt8(bit & 7), as: UInt8.self)
                h = h &* 0x9E37_79B9
            }
        }
        return UnsafeRawBufferPointer(start: base, count: size)
    }

    /// Whether a key of that hash may be in the (validated) filter.
    @inline(__always)
    static func mayContain(_ filter: UnsafeRawPointer, _ hash: UInt64) -> Bool {
        mayContain(filter, hash, line: line(hash, filter.loadUnaligned(as: UInt32.self)))
    }

    /// The same where the line is known.
    @inline(__always)
    static func mayContain(_ filter: UnsafeRawPointer, _ hash: UInt64, line: Int) -> Bool {
        let start = filter + (headerBytes &+ line &* 64)
        var h = UInt32(truncatingIfNeeded: hash)
        var left = filter.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        while left > 0 {
            let bit = Int(h &>> 23)
            if start.load(fromByteOffset: bit &>> 3, as: UInt8.self) & (1 &<< UInt8(bit & 7)) == 0 {
                return false
            }
            h = h &* 0x9E37_79B9
            left &-= 1
        }
        return true
    }

    /// Why these bytes are no filter; nil: they are one.
    static func validate(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count > headerBytes else { return "is too short" }
        let lines = bytes.loadUnaligned(as: UInt32.self)
        let probes = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        guard bytes.count == headerBytes + Int(lines) * 64 else {
            return "has a wrong size for \(lines) lines"
        }
        return (1...64).contains(probes) ? nil : "has \(probes) probes"
    }
}
