/// One record of a blob file, in bytes that hold it whole and nothing else.
struct BlobRecord {
    var key: UnsafeRawBufferPointer
    var payload: UnsafeRawBufferPointer
    var valueBytes: Int
    var codec: BlockCodec
    /// 0: key and payload are as they were.
    var keyID: UInt8

    /// What a record's head says of its size, unproven; nil when the bytes are too few.
    static func byteCount(_ head: UnsafeRawBufferPointer) -> UInt64? {
        guard head.count >= BlobFormat.recordHeadBytes else { return nil }
        return UInt64(BlobFormat.recordHeadBytes) + UInt64(number(head, 8))
            + UInt64(number(head, 12)) + (head[21] == 0 ? 0 : UInt64(FileCipher.tagBytes))
    }

    /// What is wrong with a record, after "The blob record".
    struct Damage: Error {
        var text: String
    }

    /// Checks `bytes`, a whole record that lies at `offset` of file `uid`.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, uid: UID
    ) -> Result<BlobRecord, Damage> {
        func fail(_ text: String) -> Result<BlobRecord, Damage> { .failure(Damage(text: text)) }
        guard bytes.count >= BlobFormat.recordHeadBytes else { return fail("is too short") }
        let sum = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let covered = UnsafeRawBufferPointer(rebasing: bytes[8...])
        guard sum == Checksum.xxh3(covered, seed: BlobFormat.seed(uid, offset, .record)) else {
            return fail("fails its checksum")
        }
        let (keyBytes, payloadBytes) = (Int(number(bytes, 8)), Int(number(bytes, 12)))
        let valueBytes = Int(number(bytes, 16))
        guard bytes[22] == BlobFormat.Part.record.rawValue else { return fail("is another kind") }
        guard bytes[21] <= 1 else { return fail("has an unknown key id \(bytes[21])") }
        let seal = bytes[21] == 0 ? 0 : FileCipher.tagBytes
        guard keyBytes + payloadBytes + BlobFormat.recordHeadBytes + seal == bytes.count else {
            return fail("has a wrong size")
        }
        guard let codec = BlockCodec(rawValue: bytes[20]) else {
            return fail("has unknown codec \(bytes[20])")
        }
        guard codec != .none || valueBytes == payloadBytes else { return fail("has a wrong size") }
        let body = BlobFormat.recordHeadBytes + keyBytes
        return .success(
            BlobRecord(
                key: UnsafeRawBufferPointer(
                    rebasing: bytes[BlobFormat.recordHeadBytes..<body]),
                payload: UnsafeRawBufferPointer(rebasing: bytes[body..<(body + payloadBytes)]),
                valueBytes: valueBytes, codec: codec, keyID: bytes[21]))
    }

    /// Decrypts a record that ``parse(_:at:uid:)`` let through, into `target`, as long as `bytes`: there it then is
    /// as if it had never been encrypted. False: it fails its authentication.
    static func open(
        _ bytes: UnsafeRawBufferPointer, _ record: BlobRecord, at offset: UInt64, uid: UID,
        _ cipher: FileCipher, into target: UnsafeMutableRawBufferPointer
    ) -> BlobRecord? {
        let head = BlobFormat.recordHeadBytes
        guard let base = target.baseAddress, target.count >= bytes.count,
            cipher.open(
                UnsafeRawBufferPointer(rebasing: bytes[head...]), into: base + head,
                at: BlobFormat.place(
                    uid, offset, keyBytes: record.key.count, payloadBytes: record.payload.count,
                    valueBytes: record.valueBytes, codec: record.codec))
        else { return nil }
        var opened = record
        let body = head + record.key.count
        let plain = UnsafeRawBufferPointer(target)
        opened.key = UnsafeRawBufferPointer(rebasing: plain[head..<body])
        opened.payload = UnsafeRawBufferPointer(
            rebasing: plain[body..<(body + record.payload.count)])
        opened.keyID = 0
        return opened
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
