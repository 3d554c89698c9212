extension StorageEngine {
    /// Deletes the rows whose newest values lie in blob files of `numbers` and cannot be read, and lets the
    /// files go: what of them is sound moves to others.
    ///
    /// The deletes are commits like any other: they are in the log, change capture sees them, and older
    /// versions, which snapshots may still ask for, stay as they are.
    func dropBlobDamage(
        _ numbers: [FileNumber]
    ) throws(StorageError) -> [CorruptionReport.BlobFile] {
        let side = try writable()
        if numbers.isEmpty { return [] }
        // Values that wait in memtables are nobody's loss; what hides damaged ones has to be in tables.
        try flush()
        let version = cell.retained().version
        let lost = version.blobs.corruptionReport(store.names).filter {
            numbers.contains($0.file)
        }
        guard !lost.isEmpty else { return [] }
        let files = Set(lost.map(\.file.rawValue))
        guard let range = version.range(referringTo: files) else {
            try side.background.keeper.blobs.giveUp(lost.map(\.file))
            return lost
        }
        try deleteUnreadable(range, files)
        try side.background.keeper.blobs.giveUp(lost.map(\.file))
        try compact(range)
        return lost
    }

    private func deleteUnreadable(
        _ range: KeyRange, _ files: Set<UInt64>
    ) throws(StorageError) {
        var options = ReadOptions()
        options.defersLargeValues = true
        let iterator = try makeIterator(range, at: .max, options: options)
        var batch = WriteBatch()
        try iterator.seekToFirst()
        while iterator.isValid {
            if let reference = iterator.deferredReference, files.contains(reference.file),
                try !isReadable(iterator),
                try newestCommit(of: iterator.key) ?? .zero <= iterator.versionTimestamp
            {
                try batch.delete(key: iterator.key)
                if batch.byteCount > 1 << 20 {
                    try commitAndWait(batch)
                    batch = WriteBatch()
                }
            }
            try iterator.next()
        }
        if !batch.isEmpty { try commitAndWait(batch) }
    }

    private func isReadable(_ iterator: RangeIterator) throws(StorageError) -> Bool {
        do throws(StorageError) {
            _ = try iterator.readValue()
            return true
        } catch  where error.code == .corruption {
            return false
        }
    }
}

extension Version {
    /// From the first to the last key of the tables that refer to blob files of `numbers`; nil when none does.
    func range(referringTo numbers: Set<UInt64>) -> KeyRange? {
        var range: KeyRange?
        for level in levels {
            for file in level.files.lazy.map(\.metadata)
            where file.blobUses.contains(where: { numbers.contains($0.file.rawValue) }) {
                let upper = file.largest + [0]
                guard let before = range, let lowest = before.lower, let highest = before.upper
                else {
                    range = KeyRange(lower: file.smallest, upper: upper)
                    continue
                }
                range = KeyRange(
                    lower: KeyOrder.less(file.smallest, lowest) ? file.smallest : lowest,
                    upper: KeyOrder.less(highest, upper) ? upper : highest)
            }
        }
        return range
    }
}
