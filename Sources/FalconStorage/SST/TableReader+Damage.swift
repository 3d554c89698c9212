extension TableReader {
    // MARK: - What is lost with a block

    /// The keys that may lie in the child at `place` of an index block: `block` is the partition at `top` of
    /// the top level, or the top level itself.
    func keys(of block: IndexBlock, _ place: Int, top: Int) -> KeyRange {
        var lower = Self.end(of: block, place - 1)
        if lower == nil, hasPartitions, let index { lower = Self.end(of: index, top - 1) }
        var upper = properties.largestKey + [0]
        if place < block.count {
            // A separator may lie beyond the last key.
            let separator = Array(block.key(place)) + [0]
            if KeyOrder.less(separator, upper) { upper = separator }
        }
        return KeyRange(lower: lower ?? properties.smallestKey, upper: upper)
    }

    /// The first key that may lie behind the child at `place`: its last key itself, where that has more
    /// versions than fit. Nil: there is no such child.
    private static func end(of block: IndexBlock, _ place: Int) -> [UInt8]? {
        guard place >= 0, place < block.count else { return nil }
        let key = Array(block.key(place))
        return block.timestamp(place) > 0 ? key : key + [0]
    }

    /// Tells the reader what cannot be read, where `error` is damage.
    @inline(never)
    func losing(
        _ error: StorageError, _ block: IndexBlock, _ place: Int, top: Int
    ) -> StorageError {
        guard error.code == .corruption else { return error }
        let keys = keys(of: block, place, top: top)
        var told = error
        told.message =
            "A block of a table is damaged: keys from \(KeyText.hex(keys.lower ?? [])) to before "
            + "\(KeyText.hex(keys.upper ?? [])) cannot be read unless a newer version answers."
        told.cause = error.cause.map { "\(error.message) (\($0))" } ?? error.message
        told.hint = TableDamage.hint
        return told
    }

    // MARK: - Survey

    /// Reads and checks every block past the cache; nil: all are sound. Damage is returned, what keeps a block
    /// from being read just now is thrown, or counts as damage where `countsUnreadable`.
    func survey(countsUnreadable: Bool = false) throws(StorageError) -> TableDamage? {
        var survey = TableSurvey(countsUnreadable: countsUnreadable)
        var readahead = Readahead()
        readahead.startEagerly()
        if let index, hasPartitions {
            for top in 0..<index.count {
                var pin = BlockPin()
                do throws(StorageError) {
                    try blocks.load(index.handle(top), .index, &pin)
                } catch {
                    try survey.add(error, index.handle(top), keys(of: index, top, top: top))
                    continue
                }
                try surveyData(IndexBlock(validated: pin.bytes), top, &readahead, &survey)
                pin.release()
            }
        } else if let index {
            try surveyData(index, 0, &readahead, &survey)
        }
        try surveyFilter(&survey)
        return survey.damage
    }

    private func surveyData(
        _ leaf: IndexBlock, _ top: Int, _ readahead: inout Readahead, _ survey: inout TableSurvey
    ) throws(StorageError) {
        var pin = BlockPin()
        for place in 0..<leaf.count {
            do throws(StorageError) {
                try readahead.load(leaf.handle(place), self, &pin)
            } catch {
                try survey.add(error, leaf.handle(place), keys(of: leaf, place, top: top))
            }
        }
        pin.release()
    }

    /// Nothing is lost with a filter: reads go without.
    private func surveyFilter(_ survey: inout TableSurvey) throws(StorageError) {
        if let filterDamage { try survey.add(filterDamage, footer.filter, nil) }
        let pages = footer.filterPages
        guard pages.lines > 0 else { return }
        for page in 0..<pages.count {
            let handle = pages.handle(page)
            var pin = BlockPin()
            do throws(StorageError) {
                try blocks.load(handle, .filter, &pin)
                guard pin.bytes.count == Int(handle.payloadBytes) - Int(pages.sealBytes) else {
                    throw blocks.damaged(handle, .filter, "has a wrong size")
                }
            } catch {
                try survey.add(error, handle, nil)
            }
            pin.release()
        }
    }
}

/// Gathers what the survey of a table finds.
private struct TableSurvey {
    let countsUnreadable: Bool
    var damage: TableDamage?

    /// Notes a damaged block and the keys lost with it; throws `error` on when it is none of damage.
    mutating func add(
        _ error: StorageError, _ handle: BlockHandle, _ keys: KeyRange?
    ) throws(StorageError) {
        guard error.code == .corruption || (countsUnreadable && error.code == .io) else {
            throw error
        }
        var found = damage ?? TableDamage(error: error, isWhole: false)
        TableLoss.append(
            TableLoss(
                offset: handle.offset, byteCount: handle.end &- handle.offset, keys: keys),
            to: &found.losses)
        damage = found
    }
}
