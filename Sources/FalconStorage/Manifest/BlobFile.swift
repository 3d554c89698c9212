import CFalconPlatform
import Synchronization

/// A live blob file: its metadata, and its reader once somebody needed it. Shared by the versions that
/// list it; when the last lets go of an obsolete one, the file is unlinked.
final class BlobFile: @unchecked Sendable {
    let metadata: FileMetadata
    private let store: TableStore
    private let opened: Atomic<UnsafeRawPointer?>
    private let opening = Mutex<Void>(())
    private let obsolete = Atomic<Bool>(false)
    private let damaged = Atomic<Bool>(false)
    private let record = Mutex<QuarantineRecord?>(nil)
    private let restsUntil = Atomic<UInt64>(0)
    private let givenUp = Atomic<Bool>(false)

    init(metadata: FileMetadata, store: TableStore) {
        self.metadata = metadata
        self.store = store
        opened = Atomic(nil)
    }

    deinit {
        if let pointer = opened.load(ordering: .acquiring) {
            let reader = Unmanaged<BlobReader>.fromOpaque(pointer)
            try? reader.takeUnretainedValue().close()
            reader.release()
        }
        if obsolete.load(ordering: .acquiring) {
            store.doom(.blob, metadata.number, byteCount: metadata.byteCount)
        }
    }

    var number: FileNumber { metadata.number }
    /// Bytes of all records, live or not.
    var recordBytes: UInt64 {
        metadata.byteCount
            &- min(BlobFormat.frameBytes(isSealed: metadata.keyID != 0), metadata.byteCount)
    }

    /// The file is in no version newer than those that hold it now.
    func markObsolete() { obsolete.store(true, ordering: .releasing) }

    /// Damage was found, or is being looked into: references into the file stay as they are, and no table is
    /// rewritten for its sake.
    var isDamaged: Bool { damaged.load(ordering: .relaxed) }
    func setDamaged(_ isDamaged: Bool) { damaged.store(isDamaged, ordering: .relaxed) }

    /// Values could not be read just now, which says nothing of the file: it is not collected for a while, or
    /// compactions would try again and again.
    func rest() {
        restsUntil.store(falcon_monotonic_nanos() &+ Self.restNanos, ordering: .relaxed)
    }
    var isResting: Bool {
        let end = restsUntil.load(ordering: .relaxed)
        return end != 0 && falcon_monotonic_nanos() < end
    }
    private static let restNanos: UInt64 = 10_000_000_000

    /// What was found damaged first; nil: nothing was. Sound values are read on.
    var quarantine: QuarantineRecord? { record.withLock { $0 } }
    func setQuarantine(_ found: QuarantineRecord?) {
        record.withLock { $0 = found }
        setDamaged(found != nil)
    }

    /// Whatever is live in it moves elsewhere, however little garbage there is.
    var mustGo: Bool { givenUp.load(ordering: .relaxed) }
    func giveUp() { givenUp.store(true, ordering: .relaxed) }

    /// Reads and checks all of the file, past readers and cache.
    func readWhole() throws(StorageError) {
        try checkPresence()
        let reader = try store.openBlob(metadata, usesCache: false)
        defer { try? reader.close() }
        try reader.checkRecords()
    }

    /// Checks that the file is there, and its size.
    func checkPresence() throws(StorageError) { try store.checkSize(metadata) }

    /// The open reader; opened on first use. A failure is not remembered.
    /// - Parameter mayWait: false throws `would-block` in place of opening it.
    @inline(__always)
    func reader(mayWait: Bool = true) throws(StorageError) -> BlobReader {
        if let pointer = opened.load(ordering: .acquiring) {
            return Unmanaged<BlobReader>.fromOpaque(pointer).takeUnretainedValue()
        }
        return try open(mayWait: mayWait)
    }

    @inline(never)
    private func open(mayWait: Bool) throws(StorageError) -> BlobReader {
        if !mayWait { throw .wouldBlock(store.path(of: metadata), nil) }
        var result: Result<BlobReader, StorageError>?
        opening.withLock { _ in
            if let pointer = opened.load(ordering: .acquiring) {
                result = .success(Unmanaged<BlobReader>.fromOpaque(pointer).takeUnretainedValue())
                return
            }
            do throws(StorageError) {
                let reader = try store.openBlob(metadata)
                opened.store(
                    UnsafeRawPointer(Unmanaged.passRetained(reader).toOpaque()),
                    ordering: .releasing)
                result = .success(reader)
            } catch {
                result = .failure(error)
            }
        }
        guard let result else {
            throw StorageError(.internalError, kind: .bug, "A blob file's open did not end.")
        }
        return try result.get()
    }
}
