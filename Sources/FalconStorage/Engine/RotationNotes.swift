import Synchronization

/// Tells MANIFEST of each new segment of the log, behind the commits' backs: a last segment that goes
/// missing later is missed.
final class RotationNotes: Sendable {
    private let versions = Mutex<VersionSet?>(nil)

    /// From now on notes are taken; the manifest's first edit names the segment of the moment.
    func begin(_ versions: VersionSet) { self.versions.withLock { $0 = versions } }

    func note(_ segment: WALSegmentNumber) {
        guard let versions = versions.withLock({ $0 }) else { return }
        var edit = VersionEdit()
        edit.logSegment = segment
        // A note that cannot be written protects less and loses nothing. After a failed sync the next
        // flush says so.
        do throws(StorageError) { try versions.note(edit) } catch {}
    }
}
