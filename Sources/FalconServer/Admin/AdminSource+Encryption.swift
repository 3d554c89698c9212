import FalconStorage

extension AdminSource {
    /// How far the files are encrypted, and what of keys may be shown.
    func appendEncryption(_ status: EncryptionStatus, _ out: inout MetricsText) {
        out.gauge("falcon_encryption", "New files are encrypted.", status.keys.isSealing ? 1 : 0)
        for (name, files) in [("table", status.tables), ("blob", status.blobFiles)] {
            out.gauge(
                "falcon_encryption_\(name)_files",
                "Files by how they are; pending are of both others.",
                label: "state",
                [
                    ("encrypted", UInt64(clamping: files.encrypted)),
                    ("plain", UInt64(clamping: files.plain)),
                    ("pending", UInt64(clamping: files.pending)),
                ])
        }
        let active = status.keys.keys.count(where: \.isActive)
        out.gauge(
            "falcon_encryption_keys", "Wrapping keys in the registry.", label: "state",
            [
                ("active", UInt64(clamping: active)),
                ("retired", UInt64(clamping: status.keys.keys.count - active)),
            ])
        out.gauge(
            "falcon_encryption_oldest_active_key_seconds",
            "When the oldest key that new files get was made, in seconds since 1970.",
            Double(
                status.keys.keys.filter(\.isActive).map(\.createdWallMicros).min() ?? 0) / 1e6)
        out.gauge(
            "falcon_encryption_master_key_seconds",
            "When the master key was last changed, in seconds since 1970.",
            Double(status.keys.masterWallMicros) / 1e6)
        out.counter(
            "falcon_encryption_registry_changes_total", "Changes of the key registry.",
            status.keys.generation)
    }
}
