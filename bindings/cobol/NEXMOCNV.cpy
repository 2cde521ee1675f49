      *> Generated from src/ffi by `make generate`; do not edit.
      *>
      *> For the fixed and the free format. Copy it into
      *> WORKING-STORAGE:
      *>
      *>     COPY NEXMOCNV.
      *>
      *> Pass 64-bit numbers by value with SIZE 8, and each text with
      *> its size. A negative size makes the library pad the text that
      *> it writes with spaces:
      *>
      *>     01 MESSAGE-ID PIC X(32).
      *>     01 TEXT-OUT   PIC X(200).
      *>
      *>     CALL "nexmo_flat_report" USING
      *>         BY VALUE SIZE 8 NEXMO-HANDLE
      *>         BY VALUE SIZE 4 NEXMO-CHANNEL-SMS
      *>         BY REFERENCE MESSAGE-ID BY VALUE SIZE 4 32
      *>         BY VALUE SIZE 4 1
      *>         BY REFERENCE OMITTED BY VALUE SIZE 4 0
      *>         BY REFERENCE NEXMO-DETAILS
      *>         BY VALUE SIZE 4 NEXMO-DETAIL-COUNT
      *>         BY REFERENCE TEXT-OUT BY VALUE SIZE 4 -200
      *>         RETURNING NEXMO-STATUS
      *>     END-CALL
      *>
      *> NEXMO-DETAIL (NEXMO-DETAIL-ATTEMPTS) is then the number of
      *> requests. Indices count from 1 here, and from 0 in C.

      *> Statuses
       78  NEXMO-OK                         VALUE 0.
       78  NEXMO-ERR-NULL-POINTER           VALUE 1.
       78  NEXMO-ERR-STRUCT-SIZE            VALUE 2.
       78  NEXMO-ERR-UNKNOWN-FLAGS          VALUE 3.
       78  NEXMO-ERR-INVALID-ARGUMENT       VALUE 4.
       78  NEXMO-ERR-INVALID-HANDLE         VALUE 5.
       78  NEXMO-ERR-CLOSED                 VALUE 6.
       78  NEXMO-ERR-FORKED                 VALUE 7.
       78  NEXMO-ERR-NETWORK                VALUE 20.
       78  NEXMO-ERR-TIMEOUT                VALUE 21.
       78  NEXMO-ERR-TLS                    VALUE 22.
       78  NEXMO-ERR-PROTOCOL               VALUE 23.
       78  NEXMO-ERR-PROXY                  VALUE 24.
       78  NEXMO-ERR-CANCELLED              VALUE 25.
       78  NEXMO-ERR-SYSTEM                 VALUE 26.
       78  NEXMO-ERR-UNAUTHORIZED           VALUE 40.
       78  NEXMO-ERR-NOT-ENABLED            VALUE 41.
       78  NEXMO-ERR-REJECTED               VALUE 42.
       78  NEXMO-ERR-RATE-LIMITED           VALUE 43.
       78  NEXMO-ERR-UNAVAILABLE            VALUE 44.
       78  NEXMO-ERR-REDIRECTED             VALUE 45.
       78  NEXMO-ERR-UNEXPECTED-STATUS      VALUE 46.
       78  NEXMO-ERR-OUTBOX                 VALUE 60.
       78  NEXMO-ERR-OUTBOX-FULL            VALUE 61.
       78  NEXMO-ERR-OUTBOX-BUSY            VALUE 62.
       78  NEXMO-ERR-OUTBOX-CORRUPT         VALUE 63.
       78  NEXMO-ERR-OUTBOX-WRONG-ACCOUNT   VALUE 64.
       78  NEXMO-ERR-OUTBOX-VERSION         VALUE 65.
       78  NEXMO-ERR-PENDING                VALUE 70.
       78  NEXMO-ERR-SUSPENDED              VALUE 71.
       78  NEXMO-ERR-INTERNAL               VALUE 99.

      *> Results
       78  NEXMO-ACCEPTANCE-NO              VALUE 0.
       78  NEXMO-ACCEPTANCE-UNKNOWN         VALUE 1.
       78  NEXMO-ACCEPTANCE-YES             VALUE 2.

      *> 1. One call
       78  NEXMO-CHANNEL-SMS                VALUE 1.
       78  NEXMO-CHANNEL-VOICE              VALUE 2.

      *> 3. A reporter: events
       78  NEXMO-EVENT-NONE                 VALUE 0.
       78  NEXMO-EVENT-REJECTED             VALUE 1.
       78  NEXMO-EVENT-EXPIRED              VALUE 2.
       78  NEXMO-EVENT-DROPPED              VALUE 3.

      *> 3. A reporter: statistics
       78  NEXMO-STATE-RUNNING              VALUE 0.
       78  NEXMO-STATE-BACKING-OFF          VALUE 1.
       78  NEXMO-STATE-SUSPENDED            VALUE 2.
       78  NEXMO-STATE-CLOSED               VALUE 3.
       78  NEXMO-STATE-STANDBY              VALUE 4.

      *> 4. Flat: report, submit, flush
       78  NEXMO-DETAIL-STATUS              VALUE 1.
       78  NEXMO-DETAIL-HTTP-STATUS         VALUE 2.
       78  NEXMO-DETAIL-ATTEMPTS            VALUE 3.
       78  NEXMO-DETAIL-ACCEPTANCE          VALUE 4.
       78  NEXMO-DETAIL-ELAPSED-US          VALUE 5.
       78  NEXMO-DETAIL-RETRY-AFTER-MS      VALUE 6.
       78  NEXMO-DETAIL-COUNT               VALUE 6.

      *> 4. Flat: events
       78  NEXMO-EVENT-FIELD-ID             VALUE 1.
       78  NEXMO-EVENT-FIELD-KIND           VALUE 2.
       78  NEXMO-EVENT-FIELD-CHANNEL        VALUE 3.
       78  NEXMO-EVENT-FIELD-DELIVERED      VALUE 4.
       78  NEXMO-EVENT-FIELD-HTTP-STATUS    VALUE 5.
       78  NEXMO-EVENT-FIELD-COUNT          VALUE 5.

      *> Working storage
       01  NEXMO-HANDLE            PIC S9(18) COMP-5 VALUE 0.
       01  NEXMO-EVENT-ID          PIC S9(18) COMP-5 VALUE 0.
       01  NEXMO-STATUS            PIC S9(9) COMP-5 VALUE 0.
       01  NEXMO-DETAILS.
           05  NEXMO-DETAIL PIC S9(18) COMP-5
               OCCURS 6 TIMES.
       01  NEXMO-EVENT-FIELDS.
           05  NEXMO-EVENT-FIELD PIC S9(18) COMP-5
               OCCURS 5 TIMES.
