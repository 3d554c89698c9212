import Glibc
import NIOPosix
import Testing

@testable import FalconServer

@Suite struct AdminTests {
    private func get(_ path: String, port: Int, method: String = "GET") throws -> String {
        let client = try WireClient(port: port)
        try client.send(
            Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while let byte = try client.readByte() { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func endpoints() throws {
        let server = try WireServer()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let source = AdminSource(
            engine: nil, server: server.context, dataDirectory: "/data \"x\"")
        let admin = try AdminListener(source: source, host: "127.0.0.1", port: 0, group: group)
        defer {
            admin.close()
            try? group.syncShutdownGracefully()
        }
        let client = try server.client()
        _ = try client.query("rows 1")

        let health = try get("/health", port: admin.port)
        #expect(health.hasPrefix("HTTP/1.1 200"))
        #expect(health.contains("{\"status\":\"ok\""))
        #expect(health.contains("\"path\":\"/data \\\"x\\\"\""))
        let metrics = try get("/metrics", port: admin.port)
        #expect(metrics.contains("\nfalcon_connections 1\n"))
        #expect(metrics.contains("\nfalcon_statements_total 1\n"))
        #expect(metrics.contains("# TYPE falcon_statements_total counter\n"))
        #expect(try get("/nothing", port: admin.port).hasPrefix("HTTP/1.1 404"))
        #expect(try get("/health", port: admin.port, method: "POST").hasPrefix("HTTP/1.1 405"))

        server.context.registry.drain {}
        let draining = try get("/health", port: admin.port)
        #expect(draining.hasPrefix("HTTP/1.1 503"))
        #expect(draining.contains("\"draining\""))
    }
}
