extension CompactionPicker {
    /// Rewrites, where they are, tables that hold much of what is live in files to be collected. Those
    /// of level 0 wait for their compaction, which moves values as well. Nil when there are none.
    func pickBlobCollection(_ version: Version, _ context: PickContext) -> Compaction? {
        let collected = version.blobs.collected(garbagePercent: options.blobGarbagePercent)
        if collected.isEmpty { return nil }
        var best: (bytes: UInt64, level: Int, index: Int)?
        for level in 1..<Version.levelCount {
            for (index, file) in version.levels[level].files.enumerated()
            where !file.isTaken && !file.metadata.blobUses.isEmpty {
                let bytes = file.metadata.blobBytes(in: collected)
                if bytes > best?.bytes ?? 0 { best = (bytes, level, index) }
            }
        }
        guard let best else { return nil }
        let files = version.levels[best.level].files
        // Small neighbours with it: their values come to lie in one new file.
        var end = best.index + 1
        var size = files[best.index].metadata.byteCount
        while end < files.count, !files[end].isTaken,
            size &+ files[end].metadata.byteCount <= options.targetFileByteCount,
            files[end].metadata.blobBytes(in: collected) > 0
        {
            size &+= files[end].metadata.byteCount
            end += 1
        }
        let picked = Compaction(
            reason: .blobGarbage, version: version, inputLevel: best.level,
            outputLevel: best.level, inputs: Array(files[best.index..<end]), overlapped: [])
        return isClear(picked, context) ? picked : nil
    }

    /// Rewrites, where they are, neighbouring tables that refer to many small blob files, or brings level 0
    /// down when its tables do: tables without their values are small, and may be long in coming to be a
    /// stack. Nil when there are none.
    func pickBlobMerge(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        guard options.blobThresholdBytes > 0, !version.blobs.isEmpty else { return nil }
        let windows = version.blobMergeWindows(
            targetBytes: options.targetFileByteCount, writtenBytes: UInt64(options.rotationBytes))
        for window in windows.sorted(by: { $0.mergedCount > $1.mergedCount }) {
            let files = Array(version.levels[window.level].files[window.files])
            if window.level == 0 {
                if let picked = make(
                    version, from: 0, to: targets.baseLevel, files, .blobFiles, context),
                    picked.inputBytes <= window.costLimit(UInt64(options.rotationBytes))
                {
                    return picked
                }
                continue
            }
            guard !files.contains(where: \.isTaken) else { continue }
            let picked = Compaction(
                reason: .blobFiles, version: version, inputLevel: window.level,
                outputLevel: window.level, inputs: files, overlapped: [])
            if isClear(picked, context) { return picked }
        }
        return nil
    }
}
