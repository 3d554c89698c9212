/// Walks the records of a blob file one after the other, and proves each as a reader would: size, place,
/// checksum, codec, and that its payload can be restored.
struct BlobRecordWalk {
    enum Step {
        case sound
        /// A record that is none; nil for its end: its size leads nowhere. The walk stays where it is.
        case damaged(String, end: UInt64?)
        case end
    }

    private let file: any File
    private let uid: UID
    private let end: UInt64
    /// Where the next record begins.
    private(set) var offset: UInt64
    private let isSealed: Bool
    private let cipher: FileCipher?
    /// Of the sound records.
    private(set) var recordCount: UInt64 = 0
    private(set) var keyBytes: UInt64 = 0
    private(set) var valueBytes: UInt64 = 0

    /// - Parameters:
    ///   - end: where the footer begins.
    ///   - cipher: opens encrypted records; nil: of those only what is clear is checked.
    init(
        _ file: any File, uid: UID, end: UInt64, isSealed: Bool = false, cipher: FileCipher? = nil
    ) {
        offset = BlobFormat.bodyOffset(isSealed: isSealed)
        self.isSealed = isSealed
        self.cipher = cipher
        self.file = file
        self.uid = uid
        self.end = end
    }

    mutating func next() throws(StorageError) -> Step {
        guard offset < end else { return .end }
        guard let next = try plausibleEnd(), let size = Int(exactly: next - offset) else {
            return .damaged("has a size that leads out of the file", end: nil)
        }
        let bytes = try file.readExactly(size, at: offset)
        let problem = bytes.withUnsafeBytes { check($0) }
        if let problem { return .damaged(problem, end: next) }
        offset = next
        return .sound
    }

    /// Goes on behind a damaged record.
    mutating func skip(to next: UInt64) { offset = next }

    /// The end of the record by the size that it gives itself.
    private func plausibleEnd() throws(StorageError) -> UInt64? {
        let rest = end - offset
        guard rest >= UInt64(BlobFormat.recordHeadBytes) else { return nil }
        let head = try file.readExactly(BlobFormat.recordHeadBytes, at: offset)
        guard let size = head.withUnsafeBytes({ BlobRecord.byteCount($0) }), size <= rest else {
            return nil
        }
        return offset + size
    }

    /// What is wrong with the record; nil: it is sound, and counted.
    private mutating func check(_ bytes: UnsafeRawBufferPointer) -> String? {
        switch BlobRecord.parse(bytes, at: offset, uid: uid) {
        case .failure(let damage): return damage.text
        case .success(var record):
            guard record.keyID == (isSealed ? 1 : 0) else {
                return isSealed ? "is plain" : "is encrypted"
            }
            let room = cipher.map { _ in
                UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
            }
            defer { room?.deallocate() }
            if let cipher, let room {
                guard
                    let opened = BlobRecord.open(
                        bytes, record, at: offset, uid: uid, cipher, into: room)
                else { return "fails its authentication" }
                record = opened
            }
            if let problem = Self.unpack(record) { return problem }
            recordCount &+= 1
            keyBytes &+= UInt64(record.key.count)
            valueBytes &+= UInt64(record.valueBytes)
            return nil
        }
    }

    /// Why the payload cannot be restored; nil: it can, or is encrypted.
    private static func unpack(_ record: BlobRecord) -> String? {
        guard record.keyID == 0, record.codec != .none else { return nil }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(record.valueBytes, 1), alignment: 16)
        defer { room.deallocate() }
        let target = UnsafeMutableRawBufferPointer(rebasing: room[0..<record.valueBytes])
        return BlockCompression.decompress(record.codec, record.payload, into: target)
            ? nil : "does not decompress"
    }
}
