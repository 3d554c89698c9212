extension CompactionPicker {
    /// Rewrites, where it is, a table that is to be encrypted under another key, encrypted at all or decrypted, or
    /// that refers to such a blob file; from level 0 its tables together go down. Nil when there are none.
    func pickReencryption(
        _ version: Version, _ targets: LevelTargets, _ context: PickContext
    ) -> Compaction? {
        guard let fresh = context.freshKeys else { return nil }
        let stale = version.blobs.stale(fresh)
        func isDue(_ file: TableFile) -> Bool {
            !file.isTaken
                && (!fresh.contains(file.metadata.keyID)
                    || (!stale.isEmpty && file.metadata.blobBytes(in: stale) > 0))
        }
        for level in (1..<Version.levelCount).reversed() {
            for file in version.levels[level].files where isDue(file) {
                let picked = Compaction(
                    reason: .encryption, version: version, inputLevel: level, outputLevel: level,
                    inputs: [file], overlapped: [])
                if isClear(picked, context) { return picked }
            }
        }
        guard version.level0.files.contains(where: isDue) else { return nil }
        return make(
            version, from: 0, to: targets.baseLevel, version.level0.files, .encryption, context)
    }
}

extension BlobFiles {
    /// The files whose values are to be encrypted anew, by number.
    func stale(_ fresh: Set<UInt64>) -> [UInt64] {
        entries.lazy.map(\.file).filter {
            !fresh.contains($0.metadata.keyID) && !$0.isDamaged && !$0.isResting
        }.map(\.number.rawValue)
    }
}
