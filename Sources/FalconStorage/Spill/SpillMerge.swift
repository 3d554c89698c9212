/// Makes tables of a batch's merged runs, as ``SortedFileWriter`` does of what comes from outside: their entries
/// have no timestamps, the commit gives them one.
struct SpillMerge {
    let space: SpillSpace

    /// Writes each key's first entry in `source`, and `ranges` as range tombstones: they hide what is older than
    /// the commit.
    func write(
        _ source: InternalIterator, hiding ranges: [BatchRangeDelete]
    ) throws(StorageError) -> [FileMetadata] {
        let options = space.options
        var table = options.tableOptions
        table.isSortedFile = true
        let output = TableOutput(
            store: space.store,
            options: .init(
                table: table, targetBytes: options.targetFileByteCount, flushEpoch: 0,
                catalogLimit: options.catalogStorageLimit),
            random: space.random,
            tombstones: ranges.map {
                RangeTombstone(
                    lower: $0.lower, upper: $0.upper,
                    timestamp: TableProperties.sortedFileTimestamp)
            }, allocateNumber: space.allocateNumber)
        do throws(StorageError) {
            try copy(source, to: output)
            return try output.finish()
        } catch {
            output.abandon()
            throw error
        }
    }

    private func copy(
        _ source: InternalIterator, to output: TableOutput
    ) throws(StorageError) {
        let target = space.options.targetFileByteCount
        var last = RawBuffer()
        defer { last.deallocate() }
        try source.seekToFirst()
        while source.isValid {
            let key = source.userKey
            if output.mayLeaveScope(key) { try output.beginScope(key) }
            if output.currentBytes >= target { try output.cut(before: key) }
            try output.add(
                key: key, timestamp: TableProperties.sortedFileTimestamp, kind: source.kind,
                value: source.value)
            last.assign(key)
            repeat {
                try source.next()
            } while source.isValid
                && KeyOrder.compare(source.userKey, last.bytes) == 0
        }
    }
}
