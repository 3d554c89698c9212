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
///     84    80  of an encrypted manifest (read-incompatible feature bit 0): its ``KeyEnvelope``
///
/// chunk, one after another behind it
///      0     4  magic "FMCK"
///      4     4  payload length
///      8     8  sequence: 1 for the first, rising by one
///     16     8  XXH3-64 of bytes 0..<16 and the payload, seeded with uid, offset and kind 0x4D
///     24     n  payload: one version edit
///
/// payload of an encrypted manifest
///      0     8  how many writes came before this one: the nonce. What failed is written again under another
///      8   n-24 one version edit, encrypted with AES-256-GCM
///    n-16    16 tag; uid and sequence are authenticated with it
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

    static func header(
        number: UInt64, uid: UID, shard: UID, envelope: KeyEnvelope? = nil
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: headerBytes + KeyEnvelope.byteCount)
        writer.append(contentsOf: magic)
        writer.appendFixed(FormatVersion.newest.rawValue)
        writer.appendFixed(UInt16(0))
        var features = FeatureBits()
        if envelope != nil { features.readIncompatible |= FeatureBits.encryption }
        features.encode(into: &writer)
        writer.appendFixed(number)
        writer.append(uid)
        writer.append(shard)
        writer.appendFixed(writer.bytes.withUnsafeBytes { Checksum.xxh3($0) })
        if let envelope { writer.append(contentsOf: envelope.encoded(uid: uid)) }
        return writer.bytes
    }

    /// The payload of an encrypted manifest's chunk.
    static func seal(
        _ edit: [UInt8], sequence: UInt64, writes: UInt64, uid: UID, _ cipher: FileCipher
    ) throws(StorageError) -> [UInt8] {
        var writer = ByteWriter(capacity: edit.count + sealBytes)
        writer.appendFixed(writes)
        writer.append(contentsOf: edit)
        writer.append(contentsOf: [UInt8](repeating: 0, count: FileCipher.tagBytes))
        var failure: StorageError?
        writer.bytes.withUnsafeMutableBytes { bytes in
            do throws(StorageError) {
                guard let base = bytes.baseAddress else { return }
                try cipher.seal(
                    base + 8, count: edit.count, at: place(uid, sequence, writes))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return writer.bytes
    }

    /// The edit in such a payload; nil: it fails its authentication.
    static func open(
        _ payload: UnsafeRawBufferPointer, sequence: UInt64, uid: UID, _ cipher: FileCipher
    ) -> [UInt8]? {
        var reader = ByteReader(payload)
        guard payload.count >= sealBytes, let writes = reader.readFixed(UInt64.self) else {
            return nil
        }
        var edit = [UInt8](repeating: 0, count: payload.count - sealBytes)
        let sealed = UnsafeRawBufferPointer(rebasing: payload[8...])
        let isOpen = edit.withUnsafeMutableBytes { room in
            guard let base = room.baseAddress else { return false }
            return cipher.open(sealed, into: base, at: place(uid, sequence, writes))
        }
        return isOpen ? edit : nil
    }

    private static let sealBytes = 8 + FileCipher.tagBytes

    private static func place(_ uid: UID, _ sequence: UInt64, _ writes: UInt64) -> SealPlace {
        SealPlace(
            uid: uid, kind: SealPlace.Kind.manifestEdit, counter: writes, head: (sequence, 0))
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
