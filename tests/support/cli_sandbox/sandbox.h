// A folder of its own for one story about a job: input, pipeline, state and output, and the program run in it.
#pragma once

#include "tests/support/cli_sandbox/cli_process.h"

#include <QMap>
#include <QTemporaryDir>

namespace aiflow::test {

// Relative path -> content.
using FileTree = QMap<QString, QByteArray>;

// Threads: one.
class Sandbox {
public:
    // `folder`: an existing one (e.g. on a small disk); default: a temporary one.
    explicit Sandbox(const QString& folder = {});

    // input/products.csv of so many products with small photographs; when `withBadRows` two more whose photograph is
    // missing and damaged. pipeline.yaml: an api step and three ops; no network.
    void fill(int products, bool withBadRows = true) const;
    // The same with so many steps of work for each product that a test can act while it runs.
    void fillSlow(int products) const;
    // The shipped sample products, for the shipped hero-image pipeline.
    void fillSample() const;
    void write(const QString& name, const QByteArray& content) const;
    QByteArray read(const QString& name) const;

    QStringList batch(const QStringList& more = {}) const; // the command line of the usual run
    QStringList resume(const QStringList& more = {}) const;
    QStringList command(const QStringList& words) const; // with --state-dir
    CliEnd run(const QStringList& arguments, const Environment& environment = {}) const;

    QString path(const QString& name = {}) const;
    QString job() const; // folder of the newest job; empty: none
    // What a user finds: every file, the lists without their columns of times.
    FileTree results() const;

private:
    QTemporaryDir m_temporary;
    QString m_root;
};

// Names the first difference; empty: none.
QByteArray difference(const FileTree& wanted, const FileTree& got);

} // namespace aiflow::test
