/// Asks a table whose blocks are all sound, and whose hash is not MANIFEST's, whether it can be what MANIFEST speaks
/// of: as many entries, in order, each large value where its reference says.
///
/// Such a table was not changed on the disk: its checksums were made over what is wrong. Its rows may be believed as
/// long as nothing speaks against them.
struct TableWitness {
    let source: TableStore
    /// The sound blob files.
    let blobs: [FileNumber: FileMetadata]

    /// What speaks against the table; nil: nothing does.
    func problem(
        _ reader: TableReader, _ file: FileMetadata
    ) throws(StorageError) -> StorageError? {
        var values: [FileNumber: BlobReader] = [:]
        defer { for value in values.values { try? value.close() } }
        do throws(StorageError) {
            var why = checkTombstones(reader, file)
            if why == nil { why = try checkEntries(reader, file, &values) }
            guard let why else { return nil }
            return .corruption(
                "Every block of the table is sound, but the table is not what MANIFEST says: "
                    + why + ".", path: source.path(of: file))
        } catch  where error.isLoss {
            return error
        }
    }

    private func checkTombstones(
        _ reader: TableReader, _ file: FileMetadata
    ) -> String? {
        let list = reader.rangeTombstones
        guard UInt64(list.count) == file.rangeTombstoneCount else {
            return "it has \(list.count) range tombstones in place of \(file.rangeTombstoneCount)"
        }
        let isSound = list.allSatisfy {
            KeyOrder.less($0.lower, $0.upper) && !KeyOrder.less($0.lower, file.smallest)
                && !KeyOrder.less(file.largest, $0.upper)
                && $0.timestamp >= file.minTimestamp && $0.timestamp <= file.maxTimestamp
        }
        return isSound ? nil : "a range tombstone makes no sense"
    }

    private func checkEntries(
        _ reader: TableReader, _ file: FileMetadata, _ values: inout [FileNumber: BlobReader]
    ) throws(StorageError) -> String? {
        let cursor = reader.makeIterator(fillCache: false)
        var last: (key: [UInt8], timestamp: Timestamp)?
        var (entries, tombstones) = (UInt64(0), UInt64(0))
        try cursor.seekToFirst()
        while cursor.isValid {
            let key = Array(cursor.userKey)
            if let last {
                let order = KeyOrder.compare(last.key, key)
                guard order < 0 || (order == 0 && cursor.timestamp < last.timestamp) else {
                    return "its keys are not in order"
                }
            }
            if cursor.kind == .valueReference {
                try checkReference(cursor.value, key, &values)
            }
            last = (key, cursor.timestamp)
            entries &+= 1
            if cursor.kind == .delete { tombstones &+= 1 }
            try cursor.next()
        }
        let isComplete = entries == file.entryCount && tombstones == file.tombstoneCount
        return isComplete
            ? nil : "it has \(entries) entries, \(tombstones) of them tombstones"
    }

    private func checkReference(
        _ bytes: UnsafeRawBufferPointer, _ key: [UInt8], _ values: inout [FileNumber: BlobReader]
    ) throws(StorageError) {
        guard let reference = BlobReference(bytes) else {
            throw .corruption(
                "A value reference makes no sense.", path: source.names.sstDirectory)
        }
        let number = FileNumber(reference.file)
        guard let blob = blobs[number] else {
            throw .corruption(
                "A value reference leads to a blob file that is not there.",
                path: source.names.blob(number))
        }
        let reader: BlobReader
        if let open = values[number] {
            reader = open
        } else {
            reader = try source.openBlob(blob, usesCache: false)
            values[number] = reader
        }
        var pin = BlockPin()
        defer { pin.release() }
        var failure: StorageError?
        key.withUnsafeBytes { key in
            do throws(StorageError) {
                _ = try reader.value(reference, of: key, &pin, fillCache: false)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
