import FalconToolKit
import Foundation
import Testing

@testable import FalconStorage

/// What sst-verify prints, word for word: Fixtures/sst-verify. With FALCON_REWRITE_GOLDEN=1 in the
/// environment the files are written anew; look at the difference before it is committed.
@Suite struct SSTGoldenTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [String]
        var damage: @Sendable (TableShop) throws -> Void = { _ in }
        var testDescription: String { name }
    }

    static let rows = ["--dump", "--keys", "row", "--values", "row"]
    static let views: [Case] = [
        Case(name: "deep", arguments: []),
        Case(name: "quick", arguments: ["--quick"]),
        Case(name: "histograms", arguments: ["--histograms"]),
        Case(name: "dump", arguments: ["--dump", "--limit", "6"]),
        Case(
            name: "dump-rows",
            arguments: rows + ["--from", "00000005000003e90280000008", "--limit", "8"]),
        Case(
            name: "dump-prefix",
            arguments: ["--dump", "--keys", "hex", "--key-prefix", "00000005000003e90280000001"]),
        Case(
            name: "dump-range",
            arguments: [
                "--dump", "--keys", "none", "--from", "00000005000003e90280000031", "--to",
                "00000005000003e90280000038",
            ]),
        Case(
            name: "dump-text",
            arguments: [
                "--dump", "--keys", "hex", "--values", "text", "--from",
                "00000005000003e90280000063", "--to", "00000005000003e90280000066",
            ]),
        Case(name: "damaged", arguments: [], damage: { try $0.damage(table: 1) }),
        Case(name: "damaged-quick", arguments: ["--quick"], damage: { try $0.damage(table: 1) }),
        Case(
            name: "damaged-dump", arguments: ["--dump", "--keys", "none", "--limit", "3"],
            damage: { try $0.damage(table: 0) }),
        Case(
            name: "fail-fast", arguments: ["--fail-fast", "--keys", "none"],
            damage: { try $0.damage(table: 1) }),
    ]

    static let cases =
        views.flatMap { view in
            [("text", "txt"), ("json", "json")].map { (view, $0.0, $0.1) }
        } + [
            (views[0], "jsonl", "jsonl"), (views[0], "csv", "csv"), (views[2], "csv", "csv"),
            (views[3], "jsonl", "jsonl"), (views[4], "csv", "csv"),
        ]

    @Test(arguments: cases)
    func theOutputIsAsAgreed(_ view: Case, _ format: String, _ ending: String) throws {
        let shop = try TableShop()
        try view.damage(shop)
        let arguments = ["/db", "--format", format] + view.arguments
        let run = shop.verify(arguments)
        // The version is not part of the agreement.
        let output = run.output.replacingOccurrences(
            of: "\"version\":\"\(FalconVersion.current)\"", with: "\"version\":\"…\"")
        let text =
            "# sst-verify \(arguments.joined(separator: " "))\n" + output
            + (run.diagnostics.isEmpty ? "" : "# standard error\n" + run.diagnostics)
            + "# exit \(run.exit.rawValue)\n"
        let path = Self.folder + "/\(view.name).\(ending)"
        if ProcessInfo.processInfo.environment["FALCON_REWRITE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        let golden = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        #expect(text == golden, "\(path)")
    }

    private static var folder: String {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/" + here + "/Fixtures/sst-verify"
    }
}
