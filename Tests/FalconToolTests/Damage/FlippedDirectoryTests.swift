import FalconToolKit
import Testing

@testable import FalconStorage

/// Random damage, of the kinds of the bit-flip suite: what the engine meets of it the tools explain, and what they find
/// sound is.
@Suite struct FlippedDirectoryTests {
    private static let trials = 400
    private static let sectorBytes = 512

    /// Changes a file by one of four ways; says what it did.
    private func damage(
        _ directory: DamagedDirectory, _ path: String, _ bytes: Int, _ random: inout SplitMix64
    ) throws -> String {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(max(limit, 1))) }
        let kind = below(8)
        let (place, other) = (below(bytes), below(bytes))
        let bit = UInt8(below(8))
        let sector = Self.sectorBytes
        var what = "bit \(bit) of byte \(place) of \(path) flipped"
        try directory.patch(path) { content in
            switch kind {
            case 5:
                let start = place / sector * sector
                let range = start..<min(start + sector, bytes)
                content.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
                what = "bytes \(range) of \(path) zeroed"
            case 6 where bytes >= 2 * sector:
                let (a, b) = (place % (bytes / sector), other % (bytes / sector))
                for byte in 0..<sector where a != b {
                    content.swapAt(a * sector + byte, b * sector + byte)
                }
                what = "sectors \(a) and \(b) of \(path) swapped"
            case 7:
                content.removeLast(bytes - place)
                what = "\(path) cut to \(place) bytes"
            default: content[place] ^= 1 << bit
            }
        }
        return what
    }

    @Test(arguments: [false, true])
    func whatTheEngineMeetsTheToolsExplain(isEncrypted: Bool) throws {
        let source = try DamageSource.shared(isEncrypted: isEncrypted)
        let files = source.memory.snapshotContents().filter { path, bytes in
            path.hasPrefix("db/") && !bytes.isEmpty && !path.hasSuffix("LOCK")
                && !path.hasSuffix(".spare")
        }.map { (path: "/" + $0.key, bytes: $0.value.count) }.sorted { $0.path < $1.path }
        let seed: UInt64 = isEncrypted ? 4712 : 4711
        print("whatTheEngineMeetsTheToolsExplain: seed \(seed)")
        var random = SplitMix64(seed: seed)
        var (detected, clean) = (0, 0)
        for trial in 0..<Self.trials {
            let file = files[Int(random.next() % UInt64(files.count))]
            let directory = try DamagedDirectory(isEncrypted: isEncrypted)
            let what = try damage(directory, file.path, file.bytes, &random)
            let place = "seed \(seed), trial \(trial): \(what)"
            let reports = [try directory.verify(), try directory.inspect()]
            let findings = reports.flatMap(\.findings)
            for finding in findings {
                #expect((finding["advice"] as? String)?.isEmpty == false, "\(place)")
            }
            let isTold = reports.contains { $0.text.exit != .clean }
            do {
                let rows = try directory.rows(of: DamageSource.root)
                // The log's end, or a torn edit: what is told of need not be met.
                #expect(isTold || rows == source.rows, "\(place)")
                clean += isTold ? 0 : 1
            } catch {
                detected += 1
                #expect(isTold, "\(place): \(error)")
                // The file itself is named.
                guard file.path.hasSuffix(".sst") || file.path.hasSuffix(".blob") else { continue }
                let names = findings.compactMap { $0["file"] as? String }
                #expect(names.contains(file.path), "\(place): \(names)")
            }
        }
        #expect(detected > Self.trials / 4 && clean > 0)
    }
}
