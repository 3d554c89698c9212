/// An open blob file: reads records and proves them: place, checksum, key, codec. Thread-safe.
final class BlobReader: @unchecked Sendable {
    let uid: UID
    let file: any File
    let footer: BlobFooter
    private let cache: BlockCache?
    /// ``cache`` once more: a lookup through it costs no retain.
    private let cacheReference: Unmanaged<BlockCache>?
    private let fileBytes: UInt64
    /// Nil: the file is plain, or its key is not at hand.
    private let cipher: FileCipher?
    let isSealed: Bool

    /// Opens and checks header and footer.
    /// - Parameters:
    ///   - uid: what MANIFEST says; nil trusts the file's own (offline tools).
    ///   - cache: where values go; nil reads them each time.
    ///   - keys: open an encrypted file.
    init(
        file: any File, uid: UID?, size: UInt64, cache: BlockCache?, keys: FileKeys? = nil
    ) throws(StorageError) {
        let path = file.path
        guard size >= BlobFormat.frameBytes else {
            throw .corruption("The file is too short for a blob file.", path: path, offset: 0)
        }
        let head = try file.readExactly(BlobFormat.headerBytes, at: 0)
        let (found, isSealed) = try BlobHeader.read(head, path: path)
        if let uid, uid != found {
            throw .corruption("The file is blob file \(found), not \(uid).", path: path, offset: 0)
        }
        let tail = try file.readExactly(
            BlobFormat.footerBytes, at: size - UInt64(BlobFormat.footerBytes))
        footer = try BlobFooter.decode(tail, size: size, path: path)
        guard footer.uid == found else {
            throw .corruption("Header and footer name different blob files.", path: path, offset: 0)
        }
        cipher =
            isSealed
            ? try keys.cipher(
                .blob, try BlobHeader.envelope(file, uid: found), uid: found, path: path) : nil
        self.isSealed = isSealed
        self.uid = found
        self.file = file
        self.cache = cache
        cacheReference = cache.map { .passUnretained($0) }
        fileBytes = size
    }

    /// The value that `reference` leads to, which must be `key`'s. It lives while `pin` is not reused.
    /// No allocation on a cached hit.
    @inline(__always)
    func value(
        _ reference: BlobReference, of key: UnsafeRawBufferPointer, _ pin: inout BlockPin,
        fillCache: Bool
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        if lookup(reference, &pin) { return try value(in: pin.bytes, reference) }
        try load(reference, key, &pin)
        if fillCache, let cache, let bytes = pin.takeOwn() {
            cache.insert(uid, reference.offset, bytes, &pin)
        }
        return try value(in: pin.bytes, reference)
    }

    @inline(__always)
    private func lookup(_ reference: BlobReference, _ pin: inout BlockPin) -> Bool {
        guard let cacheReference else { return false }
        return cacheReference._withUnsafeGuaranteedRef {
            $0.lookup(uid, reference.offset, &pin)
        }
    }

    /// The value if the cache has it.
    func cachedValue(
        _ reference: BlobReference, _ pin: inout BlockPin
    ) throws(StorageError) -> UnsafeRawBufferPointer? {
        lookup(reference, &pin) ? try value(in: pin.bytes, reference) : nil
    }

    /// What is kept is the value alone or, uncompressed, the record, which ends with it.
    @inline(__always)
    private func value(
        in bytes: UnsafeRawBufferPointer, _ reference: BlobReference
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        let count = Int(reference.valueBytes)
        guard bytes.count >= count else { throw damaged(reference, "is shorter than its value") }
        return UnsafeRawBufferPointer(rebasing: bytes[(bytes.count &- count)...])
    }

    /// Reads every record and checks it, its value too; `corruption` tells of the first that is not sound.
    func checkRecords() throws(StorageError) {
        var walk = BlobRecordWalk(
            file, uid: uid, end: recordsEnd, isSealed: isSealed, cipher: cipher)
        walking: while true {
            switch try walk.next() {
            case .sound: continue
            case .damaged(let why, _): throw damaged(walk.offset, why)
            case .end: break walking
            }
        }
        guard walk.recordCount == footer.recordCount, walk.keyBytes == footer.keyBytes,
            walk.valueBytes == footer.valueBytes
        else {
            throw .corruption(
                "The blob file has \(walk.recordCount) records with \(walk.keyBytes) bytes of keys and "
                    + "\(walk.valueBytes) of values; its footer says \(footer.recordCount), "
                    + "\(footer.keyBytes) and \(footer.valueBytes).",
                path: file.path, offset: recordsEnd)
        }
    }

    func damaged(_ reference: BlobReference, _ why: String) -> StorageError {
        damaged(reference.offset, why)
    }

    private func damaged(_ offset: UInt64, _ why: String) -> StorageError {
        .corruption(
            "The blob record \(why).", path: file.path, offset: offset,
            hint:
                "Restore the file from a backup, or delete or overwrite the row; sst-verify lists "
                + "what is damaged.")
    }

    private func load(
        _ reference: BlobReference, _ key: UnsafeRawBufferPointer, _ pin: inout BlockPin
    ) throws(StorageError) {
        try check(reference)
        let size = Int(reference.recordBytes)
        let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        var keepsStored = false
        defer { if !keepsStored { stored.deallocate() } }
        let got = try file.readFully(into: stored, at: reference.offset, mayWait: pin.mayWait)
        guard got == size else {
            throw damaged(reference, "is cut off by the file's end")
        }
        let bytes = UnsafeRawBufferPointer(stored)
        let record = try prove(bytes, reference, key, room: stored)
        if record.codec == .none {
            keepsStored = true
            return pin.own(UnsafeRawBufferPointer(rebasing: bytes[..<(size - sealBytes)]))
        }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(record.valueBytes, 1), alignment: 16)
        let target = UnsafeMutableRawBufferPointer(rebasing: room[0..<record.valueBytes])
        guard BlockCompression.decompress(record.codec, record.payload, into: target) else {
            room.deallocate()
            throw damaged(reference, "does not decompress")
        }
        pin.own(UnsafeRawBufferPointer(target))
    }

    /// The record lies between header and footer.
    func check(_ reference: BlobReference) throws(StorageError) {
        let limit = recordsEnd
        guard reference.offset >= BlobFormat.bodyOffset(isSealed: isSealed),
            reference.offset <= limit,
            UInt64(reference.recordBytes) <= limit - reference.offset,
            Int(reference.recordBytes) >= BlobFormat.recordHeadBytes
        else { throw damaged(reference, "lies outside the file") }
    }

    /// Where the footer begins.
    var recordsEnd: UInt64 { fileBytes - UInt64(BlobFormat.footerBytes) }

    /// What encryption adds to each record.
    var sealBytes: Int { isSealed ? FileCipher.tagBytes : 0 }

    /// The record in `bytes`, which must be all of it, is sound and what `reference` to `key` means.
    /// - Parameter room: an encrypted record is decrypted into it; may be the same bytes.
    func prove(
        _ bytes: UnsafeRawBufferPointer, _ reference: BlobReference, _ key: UnsafeRawBufferPointer,
        room: UnsafeMutableRawBufferPointer
    ) throws(StorageError) -> BlobRecord {
        var record: BlobRecord
        switch BlobRecord.parse(bytes, at: reference.offset, uid: uid) {
        case .success(let found): record = found
        case .failure(let why): throw damaged(reference, why.text)
        }
        guard record.keyID == (isSealed ? 1 : 0) else {
            throw damaged(reference, isSealed ? "is plain" : "is encrypted")
        }
        if let cipher {
            guard
                let opened = BlobRecord.open(
                    bytes, record, at: reference.offset, uid: uid, cipher, into: room)
            else { throw damaged(reference, "fails its authentication") }
            record = opened
        }
        guard KeyOrder.compare(record.key, key) == 0,
            record.valueBytes == Int(reference.valueBytes)
        else { throw damaged(reference, "belongs to another key or value") }
        return record
    }

    func close() throws(StorageError) { try file.close() }
}
