// swift-tools-version: 6.2
import PackageDescription

// A package as someone else would write it: one architecture, built as a library that `aviary`
// loads with `--plugin`. Elsewhere the dependency is the address of Aviary's repository.
let package = Package(
  name: "ThirdParty",
  products: [.library(name: "tiny-sr", type: .dynamic, targets: ["TinySR"])],
  dependencies: [.package(name: "Aviary", path: "../../../..")],
  targets: [
    .target(name: "TinySR", dependencies: [.product(name: "AviaryGraph", package: "Aviary")])
  ]
)
