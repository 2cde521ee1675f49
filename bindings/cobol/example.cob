      *> Reports conversions from COBOL: an SMS and a phone call through
      *> a client, then a report through a reporter, which stores it and
      *> sends it in the background. Copy this program and remove the
      *> parts that you do not need.
      *>
      *>     cobc -x -fstatic-call example.cob \
      *>         -L LIBDIR -l nexmo_conversion
      *>     ./example
      *>
      *> Set the environment variables NEXMO_API_KEY, NEXMO_API_SECRET
      *> and NEXMO_OUTBOX, the path of the outbox. To try the program
      *> against the sandbox, also set NEXMO_BASE_URL.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. EXAMPLE.

       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY NEXMOCNV.

      *> The library accepts text that is padded with spaces. A negative
      *> size makes the library pad the text that it writes.
       78  SETTINGS-SIZE            VALUE 4096.
       78  ID-SIZE                  VALUE 256.
       78  TIME-SIZE                VALUE 19.
       78  TEXT-SIZE                VALUE 256.
       78  OUT-ID-SIZE              VALUE -256.
       78  OUT-TIME-SIZE            VALUE -19.
       78  OUT-TEXT-SIZE            VALUE -256.
       78  NAME-SIZE                VALUE 32.
       78  OUT-NAME-SIZE            VALUE -32.
       78  LIMIT-MS                 VALUE 10000.

       01  SETTINGS-TEXT            PIC X(SETTINGS-SIZE).
       01  MESSAGE-ID               PIC X(ID-SIZE).
       01  EVENT-TIME               PIC X(TIME-SIZE).
       01  MESSAGE-TEXT             PIC X(TEXT-SIZE).
       01  STATUS-NAME              PIC X(NAME-SIZE).
       01  STATISTIC-NAME           PIC X(NAME-SIZE).

       01  API-KEY                  PIC X(256).
       01  API-SECRET               PIC X(256).
       01  BASE-URL                 PIC X(1024) VALUE SPACES.
       01  OUTBOX-PATH              PIC X(1024).

       01  CHANNEL                  PIC S9(9) COMP-5.
       01  DELIVERED                PIC S9(9) COMP-5.
       01  STATISTIC-VALUE          PIC S9(18) COMP-5.
       01  SHOWN-NUMBER             PIC -(17)9.
       01  STEP-NAME                    PIC X(20).

       PROCEDURE DIVISION.
       MAIN-PROGRAM.
           ACCEPT API-KEY FROM ENVIRONMENT "NEXMO_API_KEY"
           ACCEPT API-SECRET FROM ENVIRONMENT "NEXMO_API_SECRET"
           ACCEPT BASE-URL FROM ENVIRONMENT "NEXMO_BASE_URL"
           ACCEPT OUTBOX-PATH FROM ENVIRONMENT "NEXMO_OUTBOX"
           PERFORM REPORT-WITH-A-CLIENT
           PERFORM SUBMIT-TO-A-REPORTER
           STOP RUN.

      *> A client makes one request for each report and waits for the
      *> response.
       REPORT-WITH-A-CLIENT.
           PERFORM WRITE-ACCOUNT
           MOVE "open client" TO STEP-NAME
           PERFORM OPEN-HANDLE

           MOVE "sms" TO STEP-NAME
           MOVE NEXMO-CHANNEL-SMS TO CHANNEL
           MOVE "00A0B0C0" TO MESSAGE-ID
           MOVE 1 TO DELIVERED
           MOVE "2020-01-01 12:00:00" TO EVENT-TIME
           PERFORM SEND-REPORT

      *> Without a timestamp, the service uses the time of arrival.
           MOVE "voice" TO STEP-NAME
           MOVE NEXMO-CHANNEL-VOICE TO CHANNEL
           MOVE "call-1" TO MESSAGE-ID
           MOVE 0 TO DELIVERED
           MOVE SPACES TO EVENT-TIME
           PERFORM SEND-REPORT

           MOVE "rejection" TO STEP-NAME
           MOVE NEXMO-CHANNEL-SMS TO CHANNEL
           MOVE "rejected-1" TO MESSAGE-ID
           MOVE 1 TO DELIVERED
           PERFORM SEND-REPORT

      *> Nothing is sent if an argument is invalid.
           MOVE "bad input" TO STEP-NAME
           MOVE 2 TO DELIVERED
           PERFORM SEND-REPORT

           MOVE "close client" TO STEP-NAME
           PERFORM CLOSE-HANDLE.

      *> A reporter stores a report and retries until the service
      *> accepts or rejects it, or until the report expires.
       SUBMIT-TO-A-REPORTER.
           PERFORM WRITE-ACCOUNT
           STRING
               FUNCTION TRIM(SETTINGS-TEXT) X"0A"
               "outbox = " FUNCTION TRIM(OUTBOX-PATH) X"0A"
               DELIMITED BY SIZE INTO SETTINGS-TEXT
           END-STRING
           MOVE "open reporter" TO STEP-NAME
           PERFORM OPEN-HANDLE

           MOVE "submit" TO STEP-NAME
           MOVE NEXMO-CHANNEL-SMS TO CHANNEL
           MOVE "00A0B0C1" TO MESSAGE-ID
           MOVE 1 TO DELIVERED
           PERFORM SUBMIT-REPORT
           MOVE "rejected-2" TO MESSAGE-ID
           PERFORM SUBMIT-REPORT

           MOVE "flush" TO STEP-NAME
           CALL "nexmo_flat_flush" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 4 LIMIT-MS
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           PERFORM SHOW-OUTCOME

      *> A report that the service rejects becomes an event, which
      *> stays in the outbox until it is acknowledged.
           PERFORM POLL-EVENT
           PERFORM UNTIL NEXMO-STATUS NOT = NEXMO-OK
                   OR NEXMO-EVENT-FIELD (NEXMO-EVENT-FIELD-KIND)
                      = NEXMO-EVENT-NONE
               PERFORM ACKNOWLEDGE-EVENT
               PERFORM POLL-EVENT
           END-PERFORM

           MOVE "accepted" TO STATISTIC-NAME
           PERFORM SHOW-STATISTIC
           MOVE "pending" TO STATISTIC-NAME
           PERFORM SHOW-STATISTIC

           MOVE "close reporter" TO STEP-NAME
           PERFORM CLOSE-HANDLE.

       WRITE-ACCOUNT.
           MOVE SPACES TO SETTINGS-TEXT
           STRING
               "api_key = " FUNCTION TRIM(API-KEY) X"0A"
               "api_secret = " FUNCTION TRIM(API-SECRET) X"0A"
               "timeout_ms = 10000"
               DELIMITED BY SIZE INTO SETTINGS-TEXT
           END-STRING
           IF BASE-URL NOT = SPACES
               STRING
                   FUNCTION TRIM(SETTINGS-TEXT) X"0A"
                   "base_url = " FUNCTION TRIM(BASE-URL)
                   DELIMITED BY SIZE INTO SETTINGS-TEXT
               END-STRING
           END-IF.

       OPEN-HANDLE.
           CALL "nexmo_flat_open" USING
               BY REFERENCE SETTINGS-TEXT
               BY VALUE SIZE 4 SETTINGS-SIZE
               BY REFERENCE NEXMO-HANDLE
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           MOVE SPACES TO SETTINGS-TEXT
           PERFORM SHOW-OUTCOME
           IF NEXMO-STATUS NOT = NEXMO-OK
               MOVE NEXMO-STATUS TO RETURN-CODE
               STOP RUN
           END-IF.

       SEND-REPORT.
           CALL "nexmo_flat_report" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 4 CHANNEL
               BY REFERENCE MESSAGE-ID
               BY VALUE SIZE 4 ID-SIZE
               BY VALUE SIZE 4 DELIVERED
               BY REFERENCE EVENT-TIME
               BY VALUE SIZE 4 TIME-SIZE
               BY REFERENCE NEXMO-DETAILS
               BY VALUE SIZE 4 NEXMO-DETAIL-COUNT
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           PERFORM SHOW-OUTCOME
           MOVE NEXMO-DETAIL (NEXMO-DETAIL-HTTP-STATUS) TO SHOWN-NUMBER
           DISPLAY "  http status " FUNCTION TRIM(SHOWN-NUMBER)
           MOVE NEXMO-DETAIL (NEXMO-DETAIL-ATTEMPTS) TO SHOWN-NUMBER
           DISPLAY "  attempts " FUNCTION TRIM(SHOWN-NUMBER).

       SUBMIT-REPORT.
           CALL "nexmo_flat_submit" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 4 CHANNEL
               BY REFERENCE MESSAGE-ID
               BY VALUE SIZE 4 ID-SIZE
               BY VALUE SIZE 4 DELIVERED
               BY REFERENCE OMITTED
               BY VALUE SIZE 4 0
               BY REFERENCE OMITTED
               BY VALUE SIZE 4 0
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           PERFORM SHOW-OUTCOME.

       POLL-EVENT.
           CALL "nexmo_flat_poll" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 4 0
               BY REFERENCE NEXMO-EVENT-FIELDS
               BY VALUE SIZE 4 NEXMO-EVENT-FIELD-COUNT
               BY REFERENCE MESSAGE-ID
               BY VALUE SIZE 4 OUT-ID-SIZE
               BY REFERENCE EVENT-TIME
               BY VALUE SIZE 4 OUT-TIME-SIZE
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL.

       ACKNOWLEDGE-EVENT.
           DISPLAY "event: " FUNCTION TRIM(MESSAGE-ID) ": "
               FUNCTION TRIM(MESSAGE-TEXT)
           MOVE NEXMO-EVENT-FIELD (NEXMO-EVENT-FIELD-ID)
               TO NEXMO-EVENT-ID
           MOVE "acknowledge" TO STEP-NAME
           CALL "nexmo_flat_acknowledge" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 8 NEXMO-EVENT-ID
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           PERFORM SHOW-OUTCOME.

       SHOW-STATISTIC.
           CALL "nexmo_flat_statistic" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY REFERENCE STATISTIC-NAME
               BY VALUE SIZE 4 NAME-SIZE
               BY REFERENCE STATISTIC-VALUE
               BY REFERENCE OMITTED
               BY VALUE SIZE 4 0
               RETURNING NEXMO-STATUS
           END-CALL
           MOVE STATISTIC-VALUE TO SHOWN-NUMBER
           DISPLAY FUNCTION TRIM(STATISTIC-NAME) ": "
               FUNCTION TRIM(SHOWN-NUMBER).

       CLOSE-HANDLE.
           CALL "nexmo_flat_close" USING
               BY VALUE SIZE 8 NEXMO-HANDLE
               BY VALUE SIZE 4 LIMIT-MS
               BY REFERENCE MESSAGE-TEXT
               BY VALUE SIZE 4 OUT-TEXT-SIZE
               RETURNING NEXMO-STATUS
           END-CALL
           PERFORM SHOW-OUTCOME.

       SHOW-OUTCOME.
           CALL "nexmo_flat_status" USING
               BY VALUE SIZE 4 NEXMO-STATUS
               BY REFERENCE STATUS-NAME
               BY VALUE SIZE 4 OUT-NAME-SIZE
               BY REFERENCE OMITTED
               BY VALUE SIZE 4 0
           END-CALL
           DISPLAY FUNCTION TRIM(STEP-NAME) ": "
               FUNCTION TRIM(STATUS-NAME) ": "
               FUNCTION TRIM(MESSAGE-TEXT).
