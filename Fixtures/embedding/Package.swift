// swift-tools-version: 6.2
// A program that embeds the engine as a library: FalconStorage alone, without its third-party packages.
import PackageDescription

let package = Package(
    name: "embedding",
    dependencies: [.package(name: "FalconDB", path: "../..", traits: [])],
    targets: [
        .executableTarget(
            name: "embedding", dependencies: [.product(name: "FalconStorage", package: "FalconDB")])
    ],
    swiftLanguageModes: [.v6]
)
