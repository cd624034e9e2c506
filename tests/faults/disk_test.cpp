#include <QTest>
class DiskTest : public QObject {
    Q_OBJECT
};
QTEST_GUILESS_MAIN(DiskTest)
#include "disk_test.moc"
