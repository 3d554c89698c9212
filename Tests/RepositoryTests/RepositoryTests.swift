import Foundation
import Testing

/// The repository checks itself: what its documents promise is there, and each fact has one place.
struct RepositoryTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func files(under folder: String, suffix: String) -> [URL] {
        let base = root.appendingPathComponent(folder)
        guard let walker = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil)
        else { return [] }
        return walker.compactMap { $0 as? URL }.filter { $0.path.hasSuffix(suffix) }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func everyScriptTheReadmeNamesIsThereAndRuns() throws {
        let readme = try Self.text("README.md")
        let names = Set(readme.matches(of: /scripts\/[a-z_-]+/).map { String($0.output) })
        #expect(names.count >= 5)
        for name in names {
            let path = Self.root.appendingPathComponent(name).path
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(name)")
        }
    }

    @Test func everyLinkOfTheReadmeLeadsSomewhere() throws {
        let readme = try Self.text("README.md")
        let links = readme.matches(of: /\]\(([^)#:]+)\)/).map { String($0.output.1) }
        #expect(links.count >= 4)
        for link in links {
            let path = Self.root.appendingPathComponent(link).path
            #expect(FileManager.default.fileExists(atPath: path), "\(link)")
        }
    }

    @Test func theVersionNumberStandsInOnePlace() throws {
        let sources = Self.files(under: "Sources", suffix: ".swift")
        #expect(sources.count > 20)
        let holders = try sources.filter {
            try String(contentsOf: $0, encoding: .utf8).contains(/"\d+\.\d+\.\d+"/)
        }.map(\.lastPathComponent)
        #expect(holders == ["FalconVersion.swift"])
    }

    @Test func theChangelogSpeaksOfThisVersion() throws {
        let sources = Self.files(under: "Sources", suffix: "FalconVersion.swift")
        let declaration = try String(contentsOf: #require(sources.first), encoding: .utf8)
        let version = try #require(declaration.firstMatch(of: /"(\d+\.\d+\.\d+)"/)?.output.1)
        #expect(try Self.text("CHANGELOG.md").contains("## \(version)"))
    }

    @Test func everyFormatDocumentHasATitleAndADrawing() throws {
        let documents = Self.files(under: "docs/formats", suffix: ".md")
        let names = Set(documents.map(\.lastPathComponent))
        for name in ["wal.md", "sst.md", "manifest.md"] { #expect(names.contains(name), "\(name)") }
        for document in documents {
            let text = try String(contentsOf: document, encoding: .utf8)
            #expect(text.hasPrefix("# "), "\(document.lastPathComponent)")
            #expect(text.contains("```") || text.contains("|---"), "\(document.lastPathComponent)")
        }
    }

    @Test func noFileNamesAMachineOfItsDevelopers() throws {
        let patterns = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/"]
        for folder in ["Sources", "Tools", "Tests", "docs", "scripts", "Fixtures"] {
            for file in Self.files(under: folder, suffix: "") where !file.hasDirectoryPath {
                guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
                for pattern in patterns {
                    #expect(!text.contains(pattern), "\(file.path)")
                }
            }
        }
    }

    @Test func sourceFilesStayReadable() throws {
        // Facts/ holds tables of PostgreSQL's own data, one row a line.
        for file in Self.files(under: "Sources", suffix: ".swift")
        where !file.path.contains("/Facts/") {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false
            ).count
            #expect(lines <= 900, "\(file.lastPathComponent) has \(lines) lines")
        }
    }
}
