extension StorageEngine {
    /// The tables that are out of service and what cannot be read meanwhile; empty when all is well. Waits
    /// for nothing: what a read or a compaction has just met is read again in the background, and is in the
    /// report and in an ``EngineEvent/quarantined(_:)`` once that has confirmed it.
    public func corruptionReport() -> CorruptionReport {
        cell.retained().version.corruptionReport(store.names)
    }

    /// Reads each quarantined table whole, and puts it back into service when it is sound again: its file
    /// was restored. MANIFEST's word on uid and size counts: another table's file does not pass.
    ///
    /// - Returns: the tables that are in service again.
    /// - Throws: `io` when one could not be read or MANIFEST not be written; those before it are back.
    @discardableResult
    public func recheckQuarantined() throws(StorageError) -> [FileNumber] {
        let side = try writable()
        side.background.keeper.awaitIdle()
        return try side.background.keeper.recheck()
    }

    /// Gives up the rows of quarantined tables, all of them when `files` is nil, and serves their ranges
    /// again: **with the older versions that lie beneath, deleted rows included**, where there are any. The
    /// files are unlinked. Durable when it returns; there is no way back.
    ///
    /// Of a damaged blob file the rows are deleted whose newest values cannot be read, by commits like any
    /// other: what a snapshot holds stays. Its sound values move to other files. Nobody should write to such
    /// rows meanwhile: a value that is written while its row is looked at may be deleted with it.
    ///
    /// - Returns: what was given up. When tables were and then the blob files could not be, for a reason that
    ///   an ``EngineEvent/damageUnsettled(_:cause:)`` tells, the tables alone; the others are still in
    ///   ``corruptionReport()``.
    /// - Throws: `invalid-argument` for a file that is not quarantined; nothing has happened then.
    @discardableResult
    public func dropQuarantined(
        _ files: [FileNumber]? = nil
    ) throws(StorageError) -> CorruptionReport {
        let side = try writable()
        side.background.keeper.awaitIdle()
        let damaged = corruptionReport().blobFiles.map(\.file)
        let tables = files?.filter { !damaged.contains($0) }
        var dropped = CorruptionReport()
        if tables?.isEmpty != true || files?.isEmpty == true {
            dropped = try side.background.keeper.tables.drop(tables)
        }
        // Tables first: what looks for damaged values cannot pass those out of service.
        do throws(StorageError) {
            dropped.blobFiles = try dropBlobDamage(
                files.map { wanted in damaged.filter { wanted.contains($0) } } ?? damaged)
        } catch {
            // For the tables there is no way back: their report must not be lost.
            if dropped.isEmpty { throw error }
            side.background.events.send(
                .damageUnsettled(
                    .corruption("Damaged blob files could not be given up.", path: path),
                    cause: error))
        }
        return dropped
    }

    /// Has damage that a caller is about to hear of looked into.
    @inline(never)
    func noted(_ error: StorageError) -> StorageError {
        writeSide?.background.keeper.note(error, by: .read)
        return error
    }
}
