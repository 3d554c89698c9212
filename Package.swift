// swift-tools-version: 6.2
// FalconDB: one repository, one manifest. See docs/ARCHITECTURE.md for the house and its order.
import PackageDescription

// FALCON_PARTS narrows a developer's build: "engine" (FalconStorage alone), "sql" (engine and SQL,
// no network stack), "tools" (engine and offline tools), "fuzz" (the engine and its fuzzer, for
// scripts/soak fuzz). Unset or "all" builds everything.
let parts = Context.environment["FALCON_PARTS"] ?? "all"
let buildsSQL = parts == "sql" || parts == "all"
let buildsTools = parts == "tools" || parts == "all"
let buildsServer = parts == "all"
let buildsSchema = buildsSQL || buildsTools

// Every third-party package hangs on the `Server` trait, which is on by default: a program that
// embeds FalconStorage with `traits: []` resolves nothing else.
let server: TargetDependencyCondition? = .when(traits: ["Server"])

var products: [Product] = [.library(name: "FalconStorage", targets: ["FalconStorage"])]
var dependencies: [Package.Dependency] = []
var targets: [Target] = [
    .target(name: "CFalconPlatform", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(
        name: "FalconStorage",
        dependencies: ["CFalconPlatform", "CLZ4", "CZstd", "CXXHash", "CCrypto"],
        packageAccess: false),
    .target(
        name: "FalconTestKit", dependencies: ["FalconStorage"], path: "Tests/FalconTestKit"),
    .testTarget(
        name: "FalconStorageTests", dependencies: ["FalconStorage", "FalconTestKit"]),
    .testTarget(name: "RepositoryTests", dependencies: ["FalconTestKit"]),
]

if buildsSchema {
    dependencies.append(.package(url: "https://github.com/attaswift/BigInt", from: "6.0.0"))
    targets += [
        .target(
            name: "FalconSchema",
            dependencies: [
                "FalconStorage", .product(name: "BigInt", package: "BigInt", condition: server),
            ]),
        .target(name: "FalconChanges", dependencies: ["FalconStorage", "FalconSchema"]),
        .testTarget(
            name: "FalconSchemaTests", dependencies: ["FalconSchema", "FalconTestKit"]),
    ]
}

if buildsSQL {
    targets += [
        .systemLibrary(name: "CPgQuery", providers: [.apt(["libpg-query-dev"])]),
        .target(
            name: "FalconSQL",
            dependencies: ["FalconStorage", "FalconSchema", "FalconChanges", "CPgQuery"]),
        .testTarget(name: "FalconSQLTests", dependencies: ["FalconSQL", "FalconTestKit"]),
    ]
}

if buildsTools {
    dependencies.append(
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"))
    targets += [
        .target(
            name: "FalconToolKit",
            dependencies: [
                "FalconStorage", "FalconSchema", "FalconChanges", "CCrypto",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: server),
            ]),
        .testTarget(
            name: "FalconToolTests",
            dependencies: [
                "FalconStorage", "FalconSchema", "FalconChanges", "FalconToolKit", "FalconTestKit",
            ]),
    ]
    for tool in ["sst-verify", "wal-inspect", "pitr-restore", "cdc-tail", "falcon-bench"] {
        products.append(.executable(name: tool, targets: [tool]))
        targets.append(
            .executableTarget(name: tool, dependencies: ["FalconToolKit"], path: "Tools/\(tool)"))
    }
}

if buildsServer {
    dependencies += [
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ]
    products.append(.executable(name: "falcondb", targets: ["falcondb"]))
    products.append(.executable(name: "falconctl", targets: ["falconctl"]))
    targets += [
        .target(
            name: "FalconServer",
            dependencies: [
                "FalconStorage", "FalconSchema", "FalconSQL",
                .product(name: "NIOCore", package: "swift-nio", condition: server),
                .product(name: "NIOPosix", package: "swift-nio", condition: server),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: server),
                .product(name: "Logging", package: "swift-log", condition: server),
                .product(name: "TOMLKit", package: "TOMLKit", condition: server),
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser", condition: server),
            ]),
        .executableTarget(name: "falcondb", dependencies: ["FalconServer"]),
        // The one program that links libpq: a client of the server, so that it comes with it.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "FalconControl", dependencies: ["FalconToolKit", "CLibPQ"]),
        .executableTarget(
            name: "falconctl", dependencies: ["FalconControl"], path: "Tools/falconctl"),
        .testTarget(name: "FalconServerTests", dependencies: ["FalconServer", "FalconTestKit"]),
    ]
}

if parts == "fuzz" {
    targets.removeAll { $0.type == .test }
    targets.append(
        .executableTarget(
            name: "falcon-fuzz", dependencies: ["FalconStorage"],
            path: "Tests/FalconStorageTests/Fuzz"))
}

// The gate builds with every warning an error; a newer compiler's new warning must not break a user.
if Context.environment["FALCON_WARNINGS_AS_ERRORS"] != nil {
    for target in targets where target.type != .system && target.name != "CFalconPlatform" {
        target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
    }
}

let package = Package(
    name: "FalconDB",
    products: products,
    traits: [
        .trait(
            name: "Server",
            description: "The server and tools, with the third-party packages they need."),
        .default(enabledTraits: ["Server"]),
    ],
    dependencies: dependencies,
    targets: targets,
    swiftLanguageModes: [.v6]
)
