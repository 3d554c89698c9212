/// The blob files of a version, with the live part of each: what its tables refer to. Immutable.
final class BlobFiles: @unchecked Sendable {
    struct Entry {
        var file: BlobFile
        var liveRecords: UInt64 = 0
        /// Bytes of the live records.
        var liveBytes: UInt64 = 0
        var garbageBytes: UInt64 { file.recordBytes &- min(liveBytes, file.recordBytes) }
    }

    /// By file number.
    let entries: [Entry]
    /// Of all files, live or not; of what tables refer to; and of the rest.
    let byteCount: UInt64
    let liveBytes: UInt64
    let garbageBytes: UInt64
    private let count: Int
    /// The same for lookups, which retain nothing.
    private let numbers: UnsafeMutablePointer<UInt64>
    private let slots: UnsafeMutablePointer<Unmanaged<BlobFile>>

    static let none = BlobFiles([])

    /// - Parameter entries: by file number.
    init(_ entries: [Entry]) {
        self.entries = entries
        count = entries.count
        var totals: (bytes: UInt64, live: UInt64, garbage: UInt64) = (0, 0, 0)
        for entry in entries {
            totals.bytes &+= entry.file.metadata.byteCount
            totals.live &+= entry.liveBytes
            totals.garbage &+= entry.garbageBytes
        }
        (byteCount, liveBytes, garbageBytes) = totals
        numbers = .allocate(capacity: max(entries.count, 1))
        slots = .allocate(capacity: max(entries.count, 1))
        for (index, entry) in entries.enumerated() {
            (numbers + index).initialize(to: entry.file.number.rawValue)
            (slots + index).initialize(to: .passUnretained(entry.file))
        }
    }

    deinit {
        numbers.deallocate()
        slots.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// The place of file `number`, or nil.
    @inline(__always)
    private func place(of number: UInt64) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) &>> 1
            if numbers[middle] < number { low = middle &+ 1 } else { high = middle }
        }
        return low < count && numbers[low] == number ? low : nil
    }

    func file(_ number: FileNumber) -> BlobFile? {
        place(of: number.rawValue).map { entries[$0].file }
    }

    /// The value of `key` that an entry's `bytes` refer to. It lives while `pin` is not reused; `bytes`
    /// may be what `pin` held before.
    func resolve(
        _ bytes: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer, _ pin: inout BlockPin,
        fillCache: Bool = true
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        guard let reference = BlobReference(bytes) else { throw Self.malformed }
        return try value(reference, of: key, &pin, fillCache: fillCache)
    }

    func value(
        _ reference: BlobReference, of key: UnsafeRawBufferPointer, _ pin: inout BlockPin,
        fillCache: Bool
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        guard let place = place(of: reference.file) else { throw Self.unknown(reference) }
        let file = slots[place]._withUnsafeGuaranteedRef { $0 }
        return try file.reader(mayWait: pin.mayWait).value(
            reference, of: key, &pin, fillCache: fillCache)
    }

    /// Like ``resolve(_:of:_:fillCache:)``, for the entries of a scan, in its order.
    func resolve(
        _ bytes: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer, _ scan: BlobScan
    ) throws(StorageError) -> UnsafeRawBufferPointer {
        guard let reference = BlobReference(bytes) else { throw Self.malformed }
        guard let place = place(of: reference.file) else { throw Self.unknown(reference) }
        let file = slots[place]._withUnsafeGuaranteedRef { $0 }
        return try scan.value(reference, of: key, in: file.reader())
    }

    static let malformed = StorageError(
        .corruption, kind: .bug, "A table holds a value reference that makes no sense.",
        hint: "Run sst-verify on the directory.")

    private static func unknown(_ reference: BlobReference) -> StorageError {
        StorageError(
            .corruption, kind: .bug,
            "A table refers to blob file \(FileNames.hex(reference.file)), which the manifest does "
                + "not list.", hint: "Run sst-verify on the directory.")
    }

    // MARK: - Change

    /// One change: files that come and go, and tables that refer to them.
    struct Change {
        var added: [BlobFile] = []
        var removed: Set<FileNumber> = []
        var addedTables: [FileMetadata] = []
        var removedTables: [FileMetadata] = []

        var isEmpty: Bool {
            added.isEmpty && removed.isEmpty && addedTables.allSatisfy(\.blobUses.isEmpty)
                && removedTables.allSatisfy(\.blobUses.isEmpty)
        }
    }

    /// These files after `change`. Throws when it contradicts them: a table that refers to a file that
    /// is not there, or a file that goes while it is referred to.
    func applying(_ change: Change) throws(StorageError) -> BlobFiles {
        if change.isEmpty { return self }
        var fresh = entries + change.added.map { Entry(file: $0) }
        fresh.sort { $0.file.number < $1.file.number }
        var places: [FileNumber: Int] = [:]
        for (index, entry) in fresh.enumerated() {
            guard places.updateValue(index, forKey: entry.file.number) == nil else {
                throw Self.contradiction(entry.file.number, "is listed twice")
            }
        }
        for table in change.addedTables {
            for use in table.blobUses {
                guard let place = places[use.file] else {
                    throw Self.contradiction(use.file, "is referred to and not listed")
                }
                fresh[place].liveRecords &+= use.records
                fresh[place].liveBytes &+= use.bytes
            }
        }
        for table in change.removedTables {
            for use in table.blobUses {
                guard let place = places[use.file], fresh[place].liveRecords >= use.records,
                    fresh[place].liveBytes >= use.bytes
                else { throw Self.contradiction(use.file, "loses more than it has") }
                fresh[place].liveRecords -= use.records
                fresh[place].liveBytes -= use.bytes
            }
        }
        for number in change.removed {
            guard let place = places[number], fresh[place].liveRecords == 0 else {
                throw Self.contradiction(number, "is removed while tables refer to it")
            }
        }
        return BlobFiles(fresh.filter { !change.removed.contains($0.file.number) })
    }

    private static func contradiction(_ number: FileNumber, _ what: String) -> StorageError {
        StorageError(
            .internalError, kind: .bug, "Blob file \(FileNames.hex(number.rawValue)) \(what).")
    }

    /// Files that no table refers to.
    var dead: [FileNumber] { entries.filter { $0.liveRecords == 0 }.map(\.file.number) }
}
