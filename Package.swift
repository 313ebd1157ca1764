// swift-tools-version: 6.2
import PackageDescription

/// The built-in architectures, one word each: folder Plugins/<name>, module <name>.
let architectures = [
  "Autoencoder",
  "ESPCN", "FSRCNN", "FusionCAE", "Interpolation", "PatchDiscriminator", "PlainCAE",
  "ResidualCAE", "SRCNN", "Traditional", "VDSR", "VGG",
  // Published networks that share blocks: a file each.
  "Published",
]

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
]

/// A Swift library of this package, in its customary folder unless another is given.
func library(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil
) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

/// Tests, in their customary folder.

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: ["AviaryTestSupport"] + dependencies, swiftSettings: strict)
}

let package = Package(
  name: "Aviary",
  products: [
    .executable(name: "aviary", targets: ["AviaryCommand"]),
    // Reads HDF5 files for all the others; it lies beside them.
    .executable(name: "aviary-hdf5", targets: ["AviaryHDF5Helper"]),
    // For Benchmarks/run; no part of what is installed.
    .executable(name: "aviary-benchmark", targets: ["AviaryBenchmark"]),
    .library(name: "Aviary", targets: ["Aviary"]),
    .library(name: "AviaryGraph", targets: ["AviaryGraph"]),
    .library(name: "AviaryTensor", targets: ["AviaryTensor"]),
    .library(name: "AviaryCompute", targets: ["AviaryCompute"]),
    .library(name: "AviaryContainers", targets: ["AviaryContainers"]),
    .library(name: "AviaryCheckpoint", targets: ["AviaryCheckpoint"]),
    .library(name: "AviaryFormats", targets: ["AviaryFormats"]),
    .library(name: "AviaryImage", targets: ["AviaryImage"]),
    .library(name: "AviaryTraining", targets: ["AviaryTraining"]),
  ],
  traits: [
    .trait(
      name: "MPI",
      description: "Training and enlarging on several processes at once; needs libopenmpi-dev.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // System libraries and C.
    .systemLibrary(name: "CDNNL", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CMPI", providers: [.apt(["libopenmpi-dev"])]),
    .target(
      name: "CImageCodecs",
      linkerSettings: [
        "png", "jpeg", "tiff", "webp", "webpdemux", "webpmux", "gif", "lcms2", "z",
      ].map { .linkedLibrary($0) }),
    .target(name: "CHDF5Driver", dependencies: ["CHDF5"]),
    .target(name: "CIsolation"),
    .target(name: "CKernels"),
    .target(name: "CThreads", linkerSettings: [.linkedLibrary("gomp")]),
    .target(name: "CRegistration"),

    // Libraries, each depending only on those above it. Whoever reads HDF5 files in an executable
    // names AviaryHDF5Helper too, so that it is built beside.
    library("AviaryThreads", ["CThreads"]),
    library("AviaryFiles", [.product(name: "SystemPackage", package: "swift-system")]),
    library("AviaryHDF5", ["CHDF5", "CHDF5Driver", "CIsolation"]),
    .executableTarget(
      name: "AviaryHDF5Helper", dependencies: ["AviaryHDF5"], swiftSettings: strict),
    library("AviaryGraph", ["CRegistration"]),
    library("AviaryTensor", []),
    library(
      "AviaryImage",
      ["AviaryTensor", "AviaryGraph", "AviaryFiles", "AviaryThreads", "CImageCodecs"]),
    library(
      "AviaryCompute", ["AviaryTensor", "AviaryGraph", "AviaryThreads", "CDNNL", "CKernels"]),
    library(
      "AviaryContainers",
      [
        "AviaryTensor", "AviaryFiles", "AviaryHDF5", "CHDF5", "CIsolation", "CZlib",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    library(
      "AviaryCheckpoint",
      [
        "AviaryContainers", "AviaryTensor", "AviaryFiles",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "OrderedCollections", package: "swift-collections"),
      ]),
    library(
      "AviaryFormats",
      [
        "AviaryCheckpoint", "AviaryContainers", "AviaryTensor", "AviaryGraph", "AviaryFiles",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Sources/Formats"),
    library(
      "AviaryTraining",
      [
        "AviaryCompute", "AviaryCheckpoint", "AviaryContainers", "AviaryImage", "AviaryTensor",
        "AviaryGraph",
        "AviaryFiles", "AviaryThreads", .product(name: "Yams", package: "Yams"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    // Empty without the trait.
    library(
      "AviaryMPI",
      [
        "AviaryTraining", "AviaryTensor",
        .target(name: "CMPI", condition: .when(traits: ["MPI"])),
      ]),
    library(
      "Aviary",
      [
        "AviaryGraph", "AviaryTensor", "AviaryFiles", "AviaryThreads", "AviaryImage",
        "AviaryCompute",
        "AviaryCheckpoint", "AviaryContainers", "AviaryFormats", "AviaryTraining",
        .product(name: "SystemPackage", package: "swift-system"),
      ]
        + architectures.map { .target(name: $0) }),
    .executableTarget(
      name: "AviaryCommand",
      dependencies: [
        "Aviary", "AviaryCheckpoint", "AviaryCompute", "AviaryContainers", "AviaryFiles",
        "AviaryFormats", "AviaryGraph", "AviaryHDF5Helper", "AviaryImage", "AviaryMPI",
        "AviaryTensor", "AviaryTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "CBenchmarkLoops", path: "Benchmarks/CBenchmarkLoops"),
    .executableTarget(
      name: "AviaryBenchmark",
      dependencies: [
        "Aviary", "AviaryCheckpoint", "AviaryCompute", "AviaryContainers", "AviaryFiles",
        "AviaryFormats", "AviaryGraph", "AviaryHDF5Helper", "AviaryImage", "AviaryTensor",
        "AviaryTestSupport", "AviaryThreads", "AviaryTraining", "CBenchmarkLoops",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/AviaryBenchmark", swiftSettings: strict),

    // Tests.
    .target(
      name: "AviaryTestSupport",
      dependencies: ["AviaryGraph", "AviaryTensor", "AviaryCheckpoint", "AviaryFormats"],
      path: "Tests/Support", swiftSettings: strict),
    tests("AviaryThreadsTests", ["AviaryThreads"]),
    tests("AviaryFilesTests", ["AviaryFiles"]),
    tests("AviaryGraphTests", ["AviaryGraph", "AviaryTensor"]),
    tests("AviaryTensorTests", ["AviaryTensor"]),
    tests("AviaryImageTests", ["AviaryImage", "AviaryTensor"]),
    tests("AviaryComputeTests", ["AviaryCompute", "AviaryGraph", "AviaryTensor", "AviaryThreads"]),
    tests("AviaryContainersTests", ["AviaryContainers", "AviaryFiles", "AviaryTensor"]),
    tests(
      "AviaryCheckpointTests",
      ["AviaryCheckpoint", "AviaryContainers", "AviaryFormats", "AviaryTensor"]),
    tests(
      "AviaryTrainingTests",
      [
        "Aviary", "AviaryTraining", "AviaryCompute", "AviaryFormats", "AviaryCheckpoint",
        "AviaryFiles", "AviaryImage", "AviaryTensor", "AviaryGraph",
      ]),
    tests(
      "AviaryFormatsTests",
      [
        "Aviary", "AviaryFormats", "AviaryContainers", "AviaryCheckpoint", "AviaryCompute",
        "AviaryTensor", "AviaryGraph", "AviaryFiles",
      ]),
    tests(
      "ArchitectureTests",
      [
        "Aviary", "AviaryCompute", "AviaryFormats", "AviaryCheckpoint", "AviaryImage",
        "AviaryTensor", "AviaryGraph",
      ]),
    tests(
      "AviaryTests",
      [
        "Aviary", "AviaryThreads", "AviaryTraining", "AviaryCompute", "AviaryFormats",
        "AviaryContainers",
        "AviaryCheckpoint", "AviaryImage", "AviaryTensor", "AviaryGraph",
      ]),
    tests(
      "AviaryCommandTests",
      [
        "Aviary", "AviaryTraining", "AviaryCompute", "AviaryFormats", "AviaryCheckpoint",
        "AviaryImage", "AviaryTensor", "AviaryGraph", "AviaryFiles",
      ]),
  ]
    + architectures.map {
      .target(
        name: $0, dependencies: ["AviaryGraph"], path: "Plugins/\($0)", swiftSettings: strict)
    }
)
