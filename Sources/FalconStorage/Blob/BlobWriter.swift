/// A finished blob file.
struct BlobSummary {
    var number: FileNumber
    var uid: UID
    var fileBytes: UInt64
    var recordCount: UInt64
    var fileHash: UInt64
    /// The wrapping key over the file's data key; 0: the file is plain.
    var keyID: UInt64 = 0
}

/// Writes one blob file, streaming.
final class BlobWriter {
    private static let writeBytes = 1 << 20

    let number: FileNumber
    let uid: UID
    private let file: any File
    private let codec: BlockCodec
    private let zstd: ZstdBlockCompressor?
    /// Nil: the file is plain.
    private let cipher: FileCipher?
    private let output = ByteBuffer(capacity: BlobWriter.writeBytes + (64 << 10))
    private let fileHash = XXH3Stream()
    private var flushed: UInt64 = 0
    private var footer: BlobFooter

    /// - Parameter file: new and empty; the writer writes and syncs it, the caller closes it.
    init(
        file: any File, number: FileNumber, uid: UID, codec: BlockCodec, cipher: FileCipher? = nil
    ) {
        self.cipher = cipher
        self.file = file
        self.number = number
        self.uid = uid
        self.codec = codec
        zstd = codec == .zstd ? ZstdBlockCompressor() : nil
        footer = BlobFooter(uid: uid)
        BlobHeader.encode(uid: uid, cipher?.envelope).withUnsafeBytes { output.append($0) }
    }

    /// Bytes written and buffered so far.
    var byteCount: UInt64 { flushed &+ UInt64(output.count) }

    /// Appends a record.
    func add(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
    ) throws(StorageError) -> BlobReference {
        let offset = byteCount
        let start = output.count
        let room =
            BlobFormat.recordHeadBytes + key.count + value.count
            + (cipher == nil ? 0 : FileCipher.tagBytes)
        guard let keyBytes = UInt32(exactly: key.count), UInt32(exactly: room) != nil else {
            throw .invalidArgument("A key and its value exceed 4 GiB.")
        }
        output.reserve(room)
        output.count += BlobFormat.recordHeadBytes
        output.append(key)
        let used = appendPayload(value)
        let payload = output.count - start - BlobFormat.recordHeadBytes - key.count
        if let cipher {
            output.reserve(FileCipher.tagBytes)
            try cipher.seal(
                output.pointer + start + BlobFormat.recordHeadBytes, count: key.count + payload,
                at: BlobFormat.place(
                    uid, offset, keyBytes: key.count, payloadBytes: payload,
                    valueBytes: value.count, codec: used))
            output.count += FileCipher.tagBytes
        }
        let head = output.pointer + start
        head.storeBytes(of: keyBytes.littleEndian, toByteOffset: 8, as: UInt32.self)
        head.storeBytes(of: UInt32(payload).littleEndian, toByteOffset: 12, as: UInt32.self)
        head.storeBytes(of: UInt32(value.count).littleEndian, toByteOffset: 16, as: UInt32.self)
        head.storeBytes(of: used.rawValue, toByteOffset: 20, as: UInt8.self)
        head.storeBytes(of: cipher == nil ? 0 : 1, toByteOffset: 21, as: UInt8.self)
        head.storeBytes(of: BlobFormat.Part.record.rawValue, toByteOffset: 22, as: UInt8.self)
        head.storeBytes(of: 0, toByteOffset: 23, as: UInt8.self)
        let bytes = output.count - start
        let covered = UnsafeRawBufferPointer(start: head + 8, count: bytes - 8)
        let sum = Checksum.xxh3(covered, seed: BlobFormat.seed(uid, offset, .record))
        head.storeBytes(of: sum.littleEndian, as: UInt64.self)
        footer.recordCount &+= 1
        footer.keyBytes &+= UInt64(key.count)
        footer.valueBytes &+= UInt64(value.count)
        if output.count >= BlobWriter.writeBytes { try flushOutput() }
        return BlobReference(
            file: number.rawValue, offset: offset, recordBytes: UInt32(bytes),
            valueBytes: UInt32(value.count))
    }

    private func appendPayload(_ value: UnsafeRawBufferPointer) -> BlockCodec {
        if codec != .none, value.count > 64 {
            let bound = BlockCompression.bound(codec, value.count)
            output.reserve(bound)
            let target = UnsafeMutableRawBufferPointer(
                start: output.pointer + output.count, count: bound)
            let packed =
                zstd?.compress(value, into: target)
                ?? BlockCompression.compress(codec, value, into: target)
            // Less than an eighth saved does not pay for decompression.
            if let packed, packed < value.count - value.count / 8 {
                output.count += packed
                return codec
            }
        }
        output.append(value)
        return .none
    }

    private func flushOutput() throws(StorageError) {
        if output.count == 0 { return }
        try file.write(output.bytes, at: flushed)
        fileHash.update(output.bytes)
        flushed += UInt64(output.count)
        output.count = 0
    }

    /// Writes what is left, syncs the file's data and describes it. Nothing may be added afterwards.
    func finish() throws(StorageError) -> BlobSummary {
        footer.fileBytes = byteCount &+ UInt64(BlobFormat.footerBytes)
        footer.encode().withUnsafeBytes { output.append($0) }
        try flushOutput()
        try file.syncData()
        return BlobSummary(
            number: number, uid: uid, fileBytes: flushed, recordCount: footer.recordCount,
            fileHash: fileHash.digest, keyID: cipher?.envelope?.keyID ?? 0)
    }
}
