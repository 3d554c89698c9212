/// The BATCH_PARTs of one transaction: held in memory while they are small, else left in the log and read
/// again from there.
struct TransactionParts: Sendable {
    let transaction: TransactionID
    /// The first of them that was met.
    let start: WALBookmark
    let directory: String
    let fileSystem: any FileSystem
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Empty once they are more than may be held.
    private(set) var held: [[UInt8]] = []
    private(set) var isHeld = true

    init(
        _ transaction: TransactionID, from start: WALBookmark, directory: String,
        fileSystem: any FileSystem
    ) {
        self.transaction = transaction
        self.start = start
        self.directory = directory
        self.fileSystem = fileSystem
    }

    /// Takes in the next part; at most `limit` bytes of them are held.
    mutating func add(_ part: UnsafeRawBufferPointer, limit: Int) {
        count += 1
        byteCount += part.count
        if byteCount > limit {
            isHeld = false
            held = []
        } else if isHeld {
            held.append(Array(part))
        }
    }

    /// Calls `body` with each part in order, borrowed for the call, until it returns false. False: it did.
    func walk(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        guard !isHeld else {
            for part in held where try !part.withBorrowedBytes(body) { return false }
            return true
        }
        let reader: WALReader
        var found = 0
        do throws(StorageError) {
            reader = try WALReader(directory: directory, fileSystem: fileSystem, at: start)
            while found < count, let record = try reader.next() {
                guard record.tag == .batchPart, let part = BatchPartView(record.body),
                    part.transaction == transaction
                else { continue }
                found += 1
                if try !body(record.body) { return false }
            }
        } catch  where error.code == .notFound {
            throw ChangeReader.vanished(error.location?.path ?? directory)
        }
        guard found == count else {
            if case .corruption(let damage) = reader.verdict { throw damage.error }
            throw ChangeReader.vanished(directory)
        }
        return true
    }
}

extension [UInt8] {
    /// The bytes, borrowed for the call; keeps the thrown type.
    func withBorrowedBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let result = withUnsafeBytes { bytes -> Result<R, StorageError> in
            do throws(StorageError) { return .success(try body(bytes)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
