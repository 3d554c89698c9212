/// How the bytes of a MANIFEST lie. One file belongs to one incarnation and begins with the whole
/// state; it is never appended to by a later one.
///
/// ```
/// header
/// offset  size
///      0     8  magic "FALCMAN\n"
///      8     2  format version
///     10     2  zero
///     12    24  feature bits: compatible, read-incompatible, write-incompatible
///     36     8  manifest number (as in the name)
///     44    16  file uid
///     60    16  shard uid
///     76     8  XXH3-64 of bytes 0..<76
///
/// chunk, one after another from offset 84
///      0     4  magic "FMCK"
///      4     4  payload length
///      8     8  sequence: 1 for the first, rising by one
///     16     8  XXH3-64 of bytes 0..<16 and the payload, seeded with uid, offset and kind 0x4D
///     24     n  payload: one version edit
/// ```
/// Numbers are little-endian. Each chunk is synced before the next is written: a bad chunk with
/// nothing valid after it is a torn tail, with something valid after it is damage.
enum ManifestFormat {
    static let magic: [UInt8] = Array("FALCMAN\n".utf8)
    static let headerBytes = 84
    static let chunkMagic: UInt32 = 0x4B43_4D46
    static let chunkHeaderBytes = 24
    static let largestPayloadBytes = 1 << 30
    static let checksumKind: UInt8 = 0x4D

    static func header(number: UInt64, uid: UID, shard: UID) -> [UInt8] {
        var writer = ByteWriter(capacity: headerBytes)
        writer.append(contentsOf: magic)
        writer.appendFixed(FormatVersion.newest.rawValue)
        writer.appendFixed(UInt16(0))
        FeatureBits().encode(into: &writer)
        writer.appendFixed(number)
        writer.append(uid)
        writer.append(shard)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0) })
        return writer.bytes
    }

    static func chunk(
        payload: [UInt8], sequence: UInt64, uid: UID, offset: UInt64
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: chunkHeaderBytes + payload.count)
        writer.appendFixed(chunkMagic)
        writer.appendFixed(UInt32(payload.count))
        writer.appendFixed(sequence)
        let sum = checksum(
            head: writer.bytes, payload: payload, uid: uid, offset: offset)
        writer.appendFixed(sum)
        writer.append(contentsOf: payload)
        return writer.bytes
    }

    private static func checksum(
        head: [UInt8], payload: [UInt8], uid: UID, offset: UInt64
    ) -> UInt64 {
        head.withUnsafeBytes { head in
            payload.withUnsafeBytes { payload in
                checksum(head: head, payload: payload, uid: uid, offset: offset)
            }
        }
    }

    static func checksum(
        head: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, uid: UID, offset: UInt64
    ) -> UInt64 {
        let seed = Checksum.locationSeed(uid: uid, offset: offset, kind: checksumKind)
        return Checksum.xxh3(payload, seed: Checksum.xxh3(head, seed: seed))
    }
}
