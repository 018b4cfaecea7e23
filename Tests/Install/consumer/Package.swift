// swift-tools-version: 6.2
import PackageDescription

// A Swift program outside the tree, with Graft's tree beside it.
let package = Package(
    name: "consumer",
    dependencies: [.package(path: "../graft")],
    targets: [.executableTarget(name: "consumer", dependencies: [.product(name: "graft", package: "graft")])]
)
