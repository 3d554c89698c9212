@testable import FalconStorage

/// The decoders of what names a directory's state: MANIFEST, its edits, CURRENT and FORMAT.
enum FuzzManifest {
    static let decoders: [(name: String, run: @Sendable (UnsafeRawBufferPointer) -> Void)] = [
        ("manifest", manifest), ("edit", { _ = try? VersionEdit.decode($0, path: "M") }),
        ("current", { _ = try? CurrentMarker.decode(Array($0), path: "C") }),
        ("format", { _ = try? FormatFile.decode(Array($0), path: "F", forWriting: true) }),
    ]

    @Sendable private static func manifest(_ bytes: UnsafeRawBufferPointer) {
        var contents = Array(bytes)
        let number = FuzzRepair.manifest(&contents)
        contents.withUnsafeBytes { buffer in
            _ = try? ManifestReader.parse(buffer, path: "M", number: number, forWriting: true)
        }
    }
}
